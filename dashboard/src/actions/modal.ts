/** A dialog: it opens when it is in the document, and says when it is closed. */
import { View } from '../parts/view';

export abstract class Modal extends View {
  /** Told when it is closed, by whatever way. */
  closed: () => void = () => undefined;

  override connectedCallback(): void {
    void this.update().then(() => this.#dialog?.showModal());
  }

  get #dialog(): HTMLDialogElement | null {
    return this.querySelector('dialog');
  }

  close(): void {
    this.#dialog?.close();
  }

  protected readonly onClose = (): void => this.closed();
}
