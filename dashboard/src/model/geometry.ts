/** Where things stand in the timeline: time to 0…1, ticks, and the outlines of counts. */
import { length, type Step, type Wait } from './story';
import { sum } from './words';

export interface Scale {
  x: (at: number) => number;
  /** Waits that are cut to a fixed width. */
  cuts: Wait[];
  inCut: (at: number) => boolean;
  /** How many seconds the whole width would be without cuts. */
  span: number;
}

const CUT_WIDTH = 0.13;
const round = (value: number): number => +value.toFixed(4);

/** A wait for people that would take up the picture gets a fixed width, and says how long it was. */
export function scale(from: number, to: number, waits: readonly Wait[]): Scale {
  const active = Math.max(1, to - from - sum(waits, length));
  const cuts = waits.filter((wait) => length(wait) > active * 0.35).slice(-4);
  const rest = 1 - CUT_WIDTH * cuts.length;
  const total = Math.max(1, to - from - sum(cuts, length));
  const x = (at: number): number => {
    let [cut, width] = [0, 0];
    for (const wait of cuts) {
      if (at >= wait.to) {
        width += CUT_WIDTH;
        cut += length(wait);
      } else if (at > wait.from) {
        width += (CUT_WIDTH * (at - wait.from)) / length(wait);
        cut += at - wait.from;
      }
    }
    return round(Math.max(0, Math.min(1, ((at - from - cut) / total) * rest + width)));
  };
  const inCut = (at: number): boolean => cuts.some((wait) => at > wait.from - 30 && at < wait.to + 30);
  return { x, cuts, inCut, span: total / rest };
}

const MINUTE = 60;
const HOUR = 3600;
const TICKS = [10, 30, MINUTE, 120, 300, 600, 900, 1800, HOUR, 2 * HOUR, 4 * HOUR, 12 * HOUR, 24 * HOUR];

/** Round times, at most eight of them. */
export function ticks(from: number, to: number, by: Scale): number[] {
  const step = TICKS.find((one) => by.span / one <= 7.5) ?? 7 * 24 * HOUR;
  const found: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) if (!by.inCut(at)) found.push(at);
  return found;
}

export type Point = readonly [x: number, y: number];

/** The corners of a count over time: it stays until it changes. */
export function corners(steps: readonly Step[], by: Scale, count: (step: Step) => number): Point[] {
  return steps.flatMap((step, i) => {
    const before = steps[i - 1];
    const here: Point = [by.x(step.at), count(step)];
    return before ? [[by.x(step.at), count(before)] as Point, here] : [here];
  });
}

/** An SVG path through points in a field of 1000 × 100, where `top` is the highest count. */
export function line(points: readonly Point[], top: number): string {
  return `M${points.map(([x, y]) => `${round(x * 1000)} ${round((1 - y / top) * 100)}`).join('L')}`;
}

/** The same as the outline of an area down to `lower`. */
export function area(upper: readonly Point[], lower: readonly Point[], top: number): string {
  return `${line([...upper, ...[...lower].reverse()], top)}Z`;
}

/** Where two labels go: in the middle of their layers, but never on one another. */
export function labels(green: number, blue: number, size: number): { green: number; blue: number } {
  const low = Math.max(green / 2, size * 0.07);
  const high = green + Math.max(blue / 2, size * 0.07);
  return { green: low, blue: high - low < size * 0.2 ? low + size * 0.2 : high };
}
