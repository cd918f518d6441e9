/** What an element with `data-tip` and `.tip=${{ head, facts }}` says, beside it: on hover and on focus. */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { Tip } from '../model/rows';
import { fact } from './marks';
import { vars } from './vars';
import { View } from './view';

interface Tipped extends Element {
  tip: Tip;
}

/** The one tooltip of the page. */
class TealTip extends View {
  #of: Tipped | null = null;

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('mouseover', (event) => this.#point(event.target));
    document.addEventListener('focusin', (event) => {
      const target = event.target as Element;
      this.#point(target.matches(':focus-visible') ? target : null);
    });
    document.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.#point(null);
    });
    document.addEventListener('scroll', () => this.#point(null), { passive: true, capture: true });
  }

  #point(target: EventTarget | null): void {
    const of = target instanceof Element ? target.closest<Tipped>('[data-tip]') : null;
    if (of === this.#of) return;
    this.#of = of;
    void this.update();
  }

  protected override render(): TemplateResult | symbol {
    const shown = this.#of?.tip;
    if (!this.#of || !shown || shown.facts.length === 0) return nothing;
    const box = this.#of.getBoundingClientRect();
    const above = box.top > 60 + 20 * shown.facts.length;
    const place = { left: `${Math.max(8, box.right - 260)}px`, top: `${above ? box.top - 8 : box.bottom + 8}px` };
    return html`<div class="tip ${above ? 'above' : ''}" role="tooltip" ${vars(place)}>
      <b>${shown.head}</b>
      <dl>${shown.facts.map(([name, value]) => fact(name, value))}</dl>
    </div>`;
  }
}

customElements.define('teal-tip', TealTip);
