/** How often the page asks. */

export interface Pace {
  /** The view follows one deployment. */
  follows: boolean;
  /** Something is under way. */
  live: boolean;
  /** For how many seconds nothing new was seen. */
  quiet: number;
  /** How often in a row nobody answered. */
  failures: number;
}

const CLOSE = 5;
const LIVE = 30;
const IDLE = 300;
const QUIET_AFTER = 600;

/** Seconds until the next refresh. */
export function pause({ follows, live, quiet, failures }: Pace): number {
  if (failures > 0) return Math.min(LIVE, CLOSE * 2 ** (failures - 1));
  if (!live) return IDLE;
  return follows && quiet < QUIET_AFTER ? CLOSE : LIVE;
}
