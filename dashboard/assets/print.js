// What paper needs that a style sheet cannot do: charts as wide as the paper, tables whole, the address.
(function () {
  "use strict";
  var PAPER_PX = 650;
  var ROWS_OPENED = 40; // longer tables are printed when their reader opened them

  function api(part) {
    try { return window.dash_ag_grid.getApi(part.id); } catch (missing) { return null; }
  }

  function cell(tag, text, right) {
    var made = document.createElement(tag);
    made.textContent = text === null || text === undefined ? "" : String(text);
    if (right) made.className = "right";
    return made;
  }

  // The grid draws what is on the screen, and later: on paper its rows are a plain table. Text stays text.
  function tableOf(grid) {
    var columns = grid.getColumns().map(function (column) { return column.getColDef(); });
    var table = document.createElement("table");
    var body = document.createElement("tbody");
    var head = document.createElement("tr");
    function right(column) { return Boolean(column.headerClass); }
    columns.forEach(function (column) { head.appendChild(cell("th", column.headerName, right(column))); });
    grid.forEachNode(function (node) {
      var row = document.createElement("tr");
      columns.forEach(function (column) { row.appendChild(cell("td", node.data[column.field], right(column))); });
      body.appendChild(row);
    });
    table.className = "plain print-table";
    table.createTHead().appendChild(head);
    table.appendChild(body);
    return table;
  }

  function addTables() {
    if (!window.dash_ag_grid) return;
    document.querySelectorAll(".grid [id]").forEach(function (part) {
      var grid = api(part);
      if (grid) part.closest(".grid").insertAdjacentElement("afterend", tableOf(grid));
    });
  }

  function removeTables() {
    document.querySelectorAll(".print-table").forEach(function (table) { table.remove(); });
  }

  function setCharts(patch) {
    if (!window.Plotly) return;
    document.querySelectorAll(".js-plotly-plot").forEach(function (graph) {
      if (graph.clientWidth) window.Plotly.relayout(graph, patch);
    });
  }

  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("main details:not([open])").forEach(function (closed) {
      if (closed.querySelectorAll("tr").length > ROWS_OPENED) return;
      closed.open = true;
      closed.setAttribute("data-opened-to-print", "");
    });
    var address = document.getElementById("print-address");
    if (address) address.textContent = window.location.href;
    removeTables();
    setCharts({ width: PAPER_PX - 34, autosize: false });
    addTables();
  });

  window.addEventListener("afterprint", function () {
    document.querySelectorAll("details[data-opened-to-print]").forEach(function (opened) {
      opened.open = false;
      opened.removeAttribute("data-opened-to-print");
    });
    setCharts({ width: null, autosize: true });
    removeTables();
  });
})();
