/** Numbers, durations and times in words. */

const two = (n: number): string => String(n).padStart(2, '0');

/** Seconds since 1970 of a time of the API. */
export const seconds = (at: string): number => Date.parse(at) / 1000;

/** `1 VM`, `2 VMs`. */
export function counted(n: number, word: string, words = `${word}s`): string {
  return `${n} ${n === 1 ? word : words}`;
}

/** The time of day, in the reader's zone. */
export function clock(at: number, withSeconds = false): string {
  const date = new Date(at * 1000);
  return `${two(date.getHours())}:${two(date.getMinutes())}${withSeconds ? `:${two(date.getSeconds())}` : ''}`;
}

/** `Sat 28 Nov`. */
export function day(at: number): string {
  const options = { weekday: 'short', day: 'numeric', month: 'short' } as const;
  return new Date(at * 1000).toLocaleDateString('en-GB', options).replace(',', '');
}

/** `today 13:24`, else with the day, and with the year where it is another one. */
export function moment(at: number, now: number): string {
  const [then, today] = [new Date(at * 1000), new Date(now * 1000)];
  if (then.toDateString() === today.toDateString()) return `today ${clock(at)}`;
  const year = then.getFullYear() === today.getFullYear() ? '' : ` ${then.getFullYear()}`;
  return `${day(at)}${year} ${clock(at)}`;
}

/** For whoever hovers: exact, and the same for everybody. */
export function utc(at: number): string {
  return `${new Date(at * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** `4:17`, `1:02:03`: what a clock counts. */
export function counter(duration: number): string {
  const s = Math.max(0, Math.round(duration));
  if (s < 3600) return `${Math.floor(s / 60)}:${two(s % 60)}`;
  return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

/** `45 s`, `12 min`, `2 h 8 min`, `3 d 4 h`: about how long. */
export function about(duration: number): string {
  const s = Math.max(0, Math.round(duration));
  if (s < 60) return `${s} s`;
  const minutes = Math.round(s / 60);
  if (minutes < 60) return `${minutes} min`;
  if (s < 86400) return joined(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(s / 3600);
  return joined(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function joined(large: number, unit: string, small: number, smaller: string): string {
  return small ? `${large} ${unit} ${small} ${smaller}` : `${large} ${unit}`;
}

export function ago(duration: number): string {
  return duration < 60 ? 'just now' : `${about(duration)} ago`;
}

/** What is said of a batch, under its own heading. */
export const withoutBatch = (text: string): string => text.replace(/^Batch \d+ of \d+: /, '');

export const sum = <T>(all: readonly T[], of: (one: T) => number): number =>
  all.reduce((total, one) => total + of(one), 0);

/** 0 where there are none. */
export const mean = <T>(all: readonly T[], of: (one: T) => number): number => sum(all, of) / Math.max(1, all.length);

/** With a capital letter. */
export function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A name of the API in words: `Rolled back` of `rolledBack`. */
export const named = (name: string): string => sentence(name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`));

/** `a`, `a and b`, `a, b and c`; of more than `most`, how many more there are. */
export function listed(names: readonly string[], most = 4): string {
  if (names.length > most) return `${names.slice(0, most).join(', ')} and ${names.length - most} more`;
  if (names.length < 2) return names.join('');
  return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** A text of a machine, with each control character, and those that turn the writing round, shown by its code. */
export function plain(text: string): string {
  return text.replaceAll('\r', '').replace(/(?![\t\n])[\p{Cc}\p{Bidi_Control}]/gu, (one) => {
    const code = one.charCodeAt(0).toString(16);
    return code.length < 3 ? `\\x${code.padStart(2, '0')}` : `\\u${code.padStart(4, '0')}`;
  });
}
