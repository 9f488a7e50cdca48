// Charts in the browser: what a narrow screen leaves out, and the picture to keep.
(function () {
  "use strict";
  var NARROW_PX = 600;
  var PICTURE = { width: 1000, height: 560, top: 88, bottom: 64 };

  function at(layout, path) {
    return path.split(".").reduce(function (part, key) { return part ? part[key] : undefined; }, layout);
  }

  // A figure brings along what is to change on a narrow screen, as a patch of its layout, in layout.meta.narrow; and
  // what its bars then say, in narrow_text.
  function fit(graph) {
    var meta = graph.layout && graph.layout.meta;
    if (!meta || !meta.narrow || !window.Plotly) return;
    var narrow = document.documentElement.clientWidth < NARROW_PX;
    var paths = Object.keys(meta.narrow);
    // What is drawn decides, not what was done: Dash draws the figure anew as the server sent it.
    var isNarrow = paths.every(function (path) {
      return path === "annotations" || JSON.stringify(at(graph.layout, path)) === JSON.stringify(meta.narrow[path]);
    });
    if (narrow === isNarrow) return;
    if (!isNarrow) {
      graph.censusWide = { text: meta.narrow_text && graph.data[0].text, layout: {} };
      paths.forEach(function (path) {
        var held = at(graph.layout, path);
        graph.censusWide.layout[path] = held === undefined ? null : held;
      });
    }
    if (!graph.censusWide) return; // it is the same on every screen
    var patch = narrow ? meta.narrow : graph.censusWide.layout;
    var text = narrow ? meta.narrow_text : graph.censusWide.text;
    var holder = graph.closest(".dash-graph");
    if (holder && patch.height) holder.style.height = patch.height + "px";
    window.Plotly.update(graph, text ? { text: [text] } : {}, patch, [0]);
  }

  function fitAll() {
    document.querySelectorAll(".js-plotly-plot").forEach(fit);
  }

  var waiting = false;
  function soon() {
    if (waiting) return;
    waiting = true;
    window.requestAnimationFrame(function () { waiting = false; fitAll(); });
  }
  new MutationObserver(soon).observe(document.documentElement, { childList: true, subtree: true });
  window.addEventListener("resize", soon);

  // The picture says what the page says around the figure: title, unit, snapshot; on the page's own background.
  function keep(graph, format, name) {
    var style = getComputedStyle(document.documentElement);
    var colour = function (role) { return style.getPropertyValue(role).trim(); };
    var layout = JSON.parse(JSON.stringify(graph.layout));
    var meta = layout.meta || {};
    var line = function (text, y, size, anchor, role) {
      return {
        text: escape(text), x: 0, xref: "container", xanchor: "left", y: y, yref: "container", yanchor: anchor,
        font: { size: size, color: colour(role) }
      };
    };
    layout.title = Object.assign(line(meta.title || "", 0.97, 20, "top", "--text"), {
      x: 0.02, subtitle: { text: escape(meta.subtitle || ""), font: { size: 13, color: colour("--quiet") } }
    });
    layout.margin = Object.assign({}, layout.margin, {
      t: PICTURE.top, b: (layout.margin.b || 0) + PICTURE.bottom - 24, l: (layout.margin.l || 0) + 12
    });
    layout.annotations = (layout.annotations || []).concat([{
      text: escape(meta.source || ""), showarrow: false, x: 0, xref: "paper", xanchor: "left",
      y: 0, yref: "paper", yanchor: "top", yshift: -40, font: { size: 12, color: colour("--quiet") }
    }]);
    layout.paper_bgcolor = colour("--background");
    layout.width = PICTURE.width;
    layout.height = Math.max(PICTURE.height, (graph.layout.height || 0) + PICTURE.top + PICTURE.bottom);
    layout.autosize = false;
    window.Plotly.downloadImage(
      { data: graph.data, layout: layout },
      { format: format, filename: name, width: layout.width, height: layout.height, scale: 2 }
    );
  }

  function escape(text) {
    return String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest && event.target.closest("button[data-picture]");
    if (!button) return;
    var name = button.getAttribute("data-of");
    var holder = document.getElementById(name);
    var graph = holder && holder.querySelector(".js-plotly-plot");
    if (graph && window.Plotly) keep(graph, button.getAttribute("data-picture"), name);
  });
})();
