// What runs in the browser: the theme switch, the drawer, where focus goes after a page was changed.
window.matrixCensusVisit = function (href) {
  window.history.pushState({}, "", href);
  window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  window.scrollTo(0, 0);
};

window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.census = {
  // The theme button was pressed: the page changes at once, the figures with the answer that the new theme asks for.
  toggleTheme: function (presses) {
    if (!presses) return [window.dash_clientside.no_update, window.dash_clientside.no_update];
    var scheme = window.matrixCensusTheme.toggle();
    return [scheme, scheme];
  },

  toggleDrawer: function (presses) {
    return presses ? true : window.dash_clientside.no_update;
  },

  // On a phone a table keeps what there is room for; the other columns are on the page that a row opens.
  fitTable: function (id) {
    if (!id) return false;
    window.dash_ag_grid.getApiAsync(id).then(function (api) {
      function fit() {
        if (api.isDestroyed()) return;
        var wide = api.getColumns().filter(function (column) { return column.getColDef().context.wide; });
        api.setColumnsVisible(wide, document.documentElement.clientWidth >= 600);
      }
      fit();
      api.addEventListener("gridSizeChanged", fit);
    });
    return true;
  },

  // A day was chosen in the line on top: the same page, of the census of that day; none: of the newest.
  pickCensus: function (day, shown) {
    if ((day || null) === (shown || null)) return window.dash_clientside.no_update;
    var query = new URLSearchParams(window.location.search);
    if (day) query.set("at", day); else query.delete("at");
    query.delete("page");
    var text = query.toString();
    window.matrixCensusVisit(window.location.pathname + (text ? "?" + text : ""));
    return day || null;
  },

  // Enter in the search box of the frame.
  search: function (presses, text) {
    if (!presses || !text || !text.trim()) return window.dash_clientside.no_update;
    var at = new URLSearchParams(window.location.search).get("at");
    var query = new URLSearchParams(at ? { q: text.trim(), at: at } : { q: text.trim() });
    window.matrixCensusVisit(window.matrixCensusRoot + "/servers?" + query);
    return "";
  },

  // A new page is there: its title, and for keyboards and screen readers its beginning.
  settle: function (title) {
    if (!title) return window.dash_clientside.no_update;
    var seen = document.getElementById("first-sight");
    if (seen) window.requestAnimationFrame(function () { seen.remove(); });
    var first = document.title === "Matrix Census";
    document.title = title === "Matrix Census" ? title : title + " · Matrix Census";
    if (!first) {
      var heading = document.querySelector("main h1");
      if (heading) heading.focus({ preventScroll: true });
    }
    // An address that names a part of the page: the browser looked for it before it was there.
    var part = window.location.hash && document.getElementById(decodeURIComponent(window.location.hash.slice(1)));
    if (part) window.requestAnimationFrame(function () { part.scrollIntoView(); });
    return false; // the drawer closes
  }
};
