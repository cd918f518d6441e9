/** A command, confirmed with what will happen. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { serverNow } from '../api/time';
import type { CommandKind, Deployment } from '../api/types';
import { question } from '../model/question';
import { named } from '../model/words';
import { field } from '../parts/fields';
import { icon } from '../parts/marks';
import { Modal } from './modal';

class Confirm extends Modal {
  command!: CommandKind | 'takeBack';
  deployment!: Deployment;
  /** Told when the command was accepted. */
  done: () => void = () => undefined;

  protected override render(): TemplateResult {
    const { title, will, no, tone } = question(this.command, this.deployment, serverNow());
    return this.question(
      title,
      html`<ul class="will">
          ${will.map(([sign, text]) => html`<li>${icon(sign)}<span>${text}</span></li>`)}
        </ul>
        ${this.command === 'approve'
          ? html`<label class="side s"><input type="checkbox" name="all" />Approve all gates that follow, too</label>`
          : nothing}
        ${this.command === 'takeBack' ? nothing : comment()}`,
      no,
      named(this.command),
      tone,
    );
  }

  protected override submit(form: FormData): void {
    const { id, groupId } = this.deployment;
    const word = named(this.command);
    if (this.command === 'takeBack')
      return void this.carryOut(this.done, word, 'DELETE', `groups/${groupId}/queue/${id}`);
    const comment = String(form.get('comment')).trim();
    const body = { ...(comment && { comment }), ...(form.get('all') && { all: true }) };
    void this.carryOut(this.done, word, 'POST', `deployments/${id}/${this.command}`, body);
  }
}

const comment = (): TemplateResult =>
  field(
    'a-com',
    html`Comment <span class="mute light">for whoever looks later</span>`,
    html`<input id="a-com" name="comment" maxlength="256" autocomplete="off" />`,
  );

customElements.define('teal-confirm', Confirm);
