/** A dialog in the light of the page's style: it opens when it is in the document, and says when it is closed. */
import { LitElement } from 'lit';

export abstract class Modal extends LitElement {
  /** Told when it is closed, by whatever way. */
  declare closed: () => void;

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected get dialog(): HTMLDialogElement | null {
    return this.querySelector('dialog');
  }

  protected override firstUpdated(): void {
    this.dialog?.showModal();
  }

  close(): void {
    this.dialog?.close();
  }

  protected readonly onClose = (): void => this.closed();

  /** A click beside it closes it, as Escape does. */
  protected readonly onClick = (event: MouseEvent): void => {
    const { dialog } = this;
    if (dialog && event.target === dialog && event.detail > 0) {
      const box = dialog.getBoundingClientRect();
      const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
      if (!inside) this.close();
    }
  };
}
