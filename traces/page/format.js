// Numbers, durations and times as people read them.

const count = new Intl.NumberFormat("en");
const percents = new Intl.NumberFormat("en", { maximumSignificantDigits: 2 });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const moment = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const exact = new Intl.DateTimeFormat("en-GB", {
    year: "numeric",
    month: "short",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    fractionalSecondDigits: 3,
    timeZoneName: "short",
});

export const formatCount = (number) => count.format(number);
export const formatClock = (ms) => clock.format(ms);
export const formatMoment = (ms) => moment.format(ms);
export const formatExact = (ms) => exact.format(ms);

/** A share of 1 in percent, never 0 for something and never 100 for not quite all. */
export function formatShare(share) {
    if (share > 0 && share < 0.001) return "< 0.1 %";
    if (share < 1 && share >= 0.99) return `${Math.min(99.9, Math.round(share * 1000) / 10)} %`;
    return `${percents.format(share * 100)} %`;
}

/** A duration of so many seconds, with three digits at most. */
export function formatDuration(seconds) {
    if (seconds === null) return "in progress";
    if (seconds === 0) return "0";
    if (seconds < 0.0009995) return `${Math.round(seconds * 1e6)} µs`;
    if (seconds < 0.9995) return `${short(seconds * 1e3)} ms`;
    if (seconds < 119.95) return `${short(seconds)} s`;
    return seconds < 5370 ? `${Math.round(seconds / 60)} min` : `${short(seconds / 3600)} h`;
}

/** How long ago, coarse: ages are compared, not measured. */
export function formatAge(ms) {
    if (ms < 1000) return "< 1 s";
    return ms < 99500 ? `${Math.round(ms / 1000)} s` : formatDuration(ms / 1000);
}

/** Responses a minute. */
export const formatRate = (rate) => (rate > 0 && rate < 0.1 ? "< 0.1 t/min" : `${short(rate)} t/min`);

/** How far a value has moved from what it was: "+12 %"; "" where there was none. */
export function formatChange(now, was) {
    if (!was || !now) return "";
    const change = Math.round((now / was - 1) * 100);
    return change === 0 ? "±0 %" : `${change > 0 ? "+" : "−"}${formatCount(Math.abs(change))} %`;
}

/** A text of at most so many characters, its middle left out. */
export function shorten(text, length) {
    const characters = Array.from(text);
    if (characters.length <= length) return text;
    const end = Math.floor((length - 1) / 2);
    return `${characters.slice(0, length - 1 - end).join("")}…${characters.slice(-end).join("")}`;
}

const short = (number) =>
    number >= 99.95 ? formatCount(Math.round(number)) : String(Number(number.toPrecision(number < 10 ? 2 : 3)));
