// Functions that tables name. Rows come sorted from SQL: the grid shows the arrow and keeps the order.
var dagfuncs = (window.dashAgGridFunctions = window.dashAgGridFunctions || {});

// The look of the grid: the page's own variables, so that it follows the theme without being made again.
dagfuncs.censusTheme = function (theme) {
  return theme.withParams({
    backgroundColor: "var(--background)",
    foregroundColor: "var(--text)",
    headerBackgroundColor: "var(--surface)",
    headerTextColor: "var(--quiet)",
    headerFontWeight: 600,
    oddRowBackgroundColor: "var(--background)",
    rowHoverColor: "var(--surface)",
    borderColor: "var(--line)",
    accentColor: "var(--accent)",
    fontFamily: "inherit",
    fontSize: 14,
    cellHorizontalPadding: 12,
    columnBorder: false,
    wrapperBorderRadius: 6,
    browserColorScheme: "inherit"
  });
};

dagfuncs.keepOrder = function () {
  return 0;
};

dagfuncs.askSort = function (params, setEventData) {
  if (params.source !== "uiColumnSorted") return;
  var sorted = params.api.getColumnState().find(function (column) { return column.sort; });
  setEventData(sorted ? { column: sorted.colId, descending: sorted.sort === "desc" } : { column: null });
};

dagfuncs.openRow = function (params) {
  var href = params.data && params.data.href;
  if (!href || (params.event && params.event.target.closest("a"))) return;
  if (String(window.getSelection())) return; // text was being selected, not a row opened
  window.matrixCensusVisit(href);
};

// Cells. React puts text into the page as text: nothing from a remote server is ever markup.
var dagcomponents = (window.dashAgGridComponentFunctions = window.dashAgGridComponentFunctions || {});

dagcomponents.Link = function (props) {
  var href = props.data.href;
  if (!href) return props.value;
  return React.createElement(
    "a",
    {
      href: href,
      className: "cell-text",
      onClick: function (event) {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        window.matrixCensusVisit(href);
      }
    },
    props.value
  );
};

// A state as icon and word; the icon and tone of the field "x" stand in the row's "xLook".
dagcomponents.State = function (props) {
  var look = props.data[props.colDef.field + "Look"];
  return React.createElement(
    "span",
    { className: "state tone-" + look.tone },
    React.createElement("span", { className: "state-icon", "aria-hidden": "true" }, look.icon),
    " ",
    props.value
  );
};

// Remote text, isolated so that its direction stays its own; a second line of the field "x" stands in "xLine".
dagcomponents.Text = function (props) {
  var line = props.data[props.colDef.field + "Line"];
  var text = React.createElement("bdi", { className: "cell-text", title: props.value }, props.value);
  return React.createElement(
    "span",
    { className: "cell-lines" },
    props.data.href && props.value ? React.createElement(dagcomponents.Link, Object.assign({}, props, { value: text })) : text,
    line ? React.createElement("bdi", { className: "cell-text quiet", title: line }, line) : null
  );
};
