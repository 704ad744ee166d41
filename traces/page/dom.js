// Elements without markup: whatever comes from the data becomes text or an attribute's value, never HTML.

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element. Attributes: `on…` listens, `style` sets properties, false and null leave out, true is empty. */
export function h(tag, attributes = {}, ...children) {
    return fill(document.createElement(tag), attributes, children);
}

/** Likewise an SVG element. */
export function s(tag, attributes = {}, ...children) {
    return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
    for (const [name, value] of Object.entries(attributes)) {
        if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
        else if (name === "style") Object.entries(value).forEach(([key, of]) => element.style.setProperty(key, of));
        else if (value !== false && value !== null) element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
    return element;
}

export const byId = (id) => document.getElementById(id);
