/** An element that draws itself into the page, in the page's own style: once for all changes of a moment. */
import { render, type TemplateResult } from 'lit-html';

export abstract class View extends HTMLElement {
  #drawn: Promise<void> | null = null;

  connectedCallback(): void {
    void this.update();
  }

  /** Draw it anew; done when that is done. */
  update(): Promise<void> {
    return (this.#drawn ??= Promise.resolve().then(() => {
      this.#drawn = null;
      if (this.isConnected) render(this.render(), this, { host: this });
    }));
  }

  protected abstract render(): TemplateResult | symbol;
}
