/**
 * The time that the server goes by, from the `Date` of its answers.
 *
 * The local platform's time runs faster than the reader's: how fast shows between two answers.
 */
let server = 0;
let local = 0;
let rate = 1;

const here = (): number => performance.now() / 1000;

/** Take the time of an answer. */
export function heard(date: string | null): void {
  const at = date ? Date.parse(date) / 1000 : NaN;
  if (Number.isNaN(at)) return;
  const now = here();
  if (server && now - local > 1) {
    const seen = (at - server) / (now - local);
    // A second's rounding is no speed.
    rate = seen > 1.8 ? seen : 1;
  }
  if (!server || now - local > 1) [server, local] = [at, now];
}

/** Seconds since 1970, as the server counts them. */
export function serverNow(): number {
  return server ? server + (here() - local) * rate : Date.now() / 1000;
}
