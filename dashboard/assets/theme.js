// Runs in the head, before anything is drawn, so that a remembered dark page never flashes white.
// The choice is kept in a cookie: the server draws figures in the right colours with the first answer.
(function () {
  "use strict";
  var root = document.documentElement;
  // Where this file lies says under which path a proxy serves us.
  var prefix = new URL(document.currentScript.src).pathname.replace(/\/assets\/[^/]*$/, "");
  window.matrixCensusRoot = prefix;
  var year_s = 365 * 24 * 3600;

  function chosen() {
    var found = /(?:^|;\s*)theme=(light|dark)(?:;|$)/.exec(document.cookie);
    if (found) return found[1];
    return window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  }

  function wear(scheme) {
    root.setAttribute("data-mantine-color-scheme", scheme);
    document.cookie = "theme=" + scheme + "; path=" + (prefix || "/") + "; max-age=" + year_s + "; samesite=lax";
    return scheme;
  }

  wear(chosen());
  if (/\/embed\/[^/]+$/.test(window.location.pathname)) root.classList.add("embedded");
  window.matrixCensusTheme = {
    current: function () { return root.getAttribute("data-mantine-color-scheme"); },
    toggle: function () { return wear(this.current() === "dark" ? "light" : "dark"); }
  };
})();
