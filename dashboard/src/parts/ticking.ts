/** Elements that count by themselves: nothing else is drawn anew for a second that passes. */
import { serverNow } from '../api/time';
import { about, ago, counter, utc } from '../model/words';

const counting = new Set<Ticking>();
let timer = 0;

abstract class Ticking extends HTMLElement {
  #at = 0;

  /** The time of the server that it counts to or from. */
  set at(at: number) {
    this.#at = at;
    // Exact for whoever hovers.
    this.title = at ? utc(at) : '';
    this.draw();
  }

  connectedCallback(): void {
    counting.add(this);
    timer ||= window.setInterval(() => counting.forEach((one) => one.draw()), 1000);
    this.draw();
  }

  disconnectedCallback(): void {
    counting.delete(this);
  }

  draw(): void {
    const words = this.words(this.#at);
    if (this.textContent !== words) this.textContent = words;
  }

  protected abstract words(at: number): string;
}

/** How long it is until a time. */
export class Until extends Ticking {
  protected override words(at: number): string {
    const left = at - serverNow();
    return left > 3600 ? about(left) : left > 60 ? counter(left) : `${Math.max(0, Math.ceil(left))} s`;
  }
}

/** How long ago a time was. */
export class Since extends Ticking {
  protected override words(at: number): string {
    return ago(serverNow() - at);
  }
}

/** How many seconds ago the page was last refreshed, by the reader's own clock. */
export class Updated extends Ticking {
  protected override words(at: number): string {
    return at ? `${about(Date.now() / 1000 - at)}` : '';
  }
}

customElements.define('teal-until', Until);
customElements.define('teal-since', Since);
customElements.define('teal-updated', Updated);
