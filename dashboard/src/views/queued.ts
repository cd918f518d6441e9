/** The head of a deployment that waits for its turn. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { COMMANDS, whyNot } from '../model/commands';
import type { Run } from '../model/run';
import { waitsFor } from '../model/waiting';
import { seconds } from '../model/words';
import type { Page } from '../page';
import { button, more } from '../parts/commands';
import { answer, heroCard } from '../parts/hero-card';
import { told, when } from '../parts/marks';
import { link } from '../router';

/** What it waits for; the deployment before it is a link. */
function before(reason: string): TemplateResult {
  const id = /^Waiting for deployment (\S+)$/.exec(reason)?.[1];
  if (!id) return answer('Waiting for', waitsFor(reason));
  const opens = html`<a href=${link.deployment(id)}><code>${id}</code></a>`;
  return answer('Waiting for', 'The deployment before it', html`<p>${opens}</p>`);
}

export function queued(page: Page, run: Run): TemplateResult {
  const { deployment: of } = run;
  const takeBack = button('', COMMANDS.takeBack, 'Take back…', whyNot('takeBack', page), () =>
    page.confirm('takeBack', of),
  );
  const since = html`<teal-since .at=${seconds(of.queuedAt ?? of.createdAt)}></teal-since>`;
  return heroCard(page, run, {
    buttons: html`<div class="bs">${takeBack}${more(page, run)}</div>`,
    why: of.comment,
    who: html`asked for by ${of.startedBy} · ${when(run.start, page.now)}`,
    body: html`<div class="answers">
        ${answer(
          'Place',
          of.queuePosition ? `${of.queuePosition}. in the queue` : 'In the queue',
          html`<p>Those that were asked for before it come first.</p>`,
        )}
        ${before(of.reason)}
        ${answer('Since', since, html`<p>It has changed nothing. All is checked again when its turn comes.</p>`)}
      </div>
      ${of.findings?.length
        ? html`<div class="stack findings">
            ${of.findings.map((one) => told(one.severity === 'error' ? 'bad' : '', 'info', one))}
          </div>`
        : nothing}`,
  });
}
