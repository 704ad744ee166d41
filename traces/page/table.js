// A sortable table that shows one page of its rows: the page stays as light with ten thousand as with ten.

import { h } from "./dom.js";
import { formatCount } from "./format.js";

const ROWS = 50;

/**
 * Column: { label, value(row) to sort by, cell(row) to show, numeric, first: "descending" to begin sorting so }.
 * `update(rows)` shows rows, in the order given until the reader sorts; `empty` is said where there are none.
 */
export class Table {
    #rows = [];
    #sorted = [];
    #page = 0;
    #sort = null; // { column, direction: 1 | -1 }

    constructor(parent, { caption, columns, empty }) {
        this.columns = columns;
        this.empty = empty;
        this.headers = columns.map((column) => this.#header(column));
        this.body = h("tbody");
        this.pager = h("nav", { class: "pager", "aria-label": `Pages of: ${caption}` });
        const table = h(
            "table",
            {},
            h("caption", { class: "unseen" }, caption),
            h("thead", {}, h("tr", {}, this.headers)),
            this.body,
        );
        parent.append(h("div", { class: "scroll" }, table), this.pager);
    }

    update(rows) {
        this.#rows = rows;
        this.#page = 0;
        this.#order();
        this.#show();
    }

    #header(column) {
        const button = h(
            "button",
            { type: "button", onclick: () => this.#sortBy(column) },
            column.label,
            h("span", { class: "arrow", "aria-hidden": "true" }),
        );
        return h("th", { scope: "col", class: column.numeric ? "number" : "" }, button);
    }

    #sortBy(column) {
        const first = column.first === "descending" ? -1 : 1;
        this.#sort = { column, direction: this.#sort?.column === column ? -this.#sort.direction : first };
        this.#page = 0;
        this.#order();
        this.#show();
    }

    #order() {
        this.#sorted = this.#rows;
        if (this.#sort) {
            const { column, direction } = this.#sort;
            this.#sorted = this.#rows
                .map((row) => [column.value(row), row])
                .sort(([a], [b]) => direction * (a < b ? -1 : a > b ? 1 : 0))
                .map(([, row]) => row);
        }
        this.headers.forEach((header, position) => {
            const sorted = this.columns[position] === this.#sort?.column;
            if (sorted) header.setAttribute("aria-sort", this.#sort.direction > 0 ? "ascending" : "descending");
            else header.removeAttribute("aria-sort");
        });
    }

    #show() {
        const shown = this.#sorted.slice(this.#page * ROWS, (this.#page + 1) * ROWS);
        const nothing = h("tr", {}, h("td", { colspan: this.columns.length, class: "empty" }, this.empty));
        const focused = [...this.body.rows].indexOf(document.activeElement?.closest("tr"));
        this.body.replaceChildren(...(shown.length ? shown.map((row) => this.#row(row)) : [nothing]));
        this.body.rows[focused]?.querySelector("a, button")?.focus({ preventScroll: true });
        const last = Math.max(0, Math.ceil(this.#sorted.length / ROWS) - 1);
        const first = this.#page * ROWS;
        this.pager.hidden = last === 0;
        this.pager.replaceChildren(
            this.#turn("First", 0, this.#page > 0),
            this.#turn("Previous", this.#page - 1, this.#page > 0),
            h(
                "span",
                { role: "status" },
                `${formatCount(first + 1)}–${formatCount(first + shown.length)} of ${formatCount(this.#sorted.length)}`,
            ),
            this.#turn("Next", this.#page + 1, this.#page < last),
            this.#turn("Last", last, this.#page < last),
        );
    }

    #row(row) {
        return h(
            "tr",
            {},
            this.columns.map((column) =>
                h("td", { class: column.numeric ? "number" : (column.class ?? "") }, column.cell(row)),
            ),
        );
    }

    #turn(label, page, possible) {
        const turn = () => {
            this.#page = page;
            this.#show();
            // The button was made anew: the focus goes to its successor, or to one that still leads somewhere.
            const buttons = [...this.pager.querySelectorAll("button:enabled")];
            (buttons.find((button) => button.textContent === label) ?? buttons[0]).focus({ preventScroll: true });
        };
        return h("button", { type: "button", class: "plain", disabled: !possible, onclick: turn }, label);
    }
}
