/** The head of a deployment that waits for its turn. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { COMMANDS, whyNot } from '../model/commands';
import type { Run } from '../model/run';
import { waitsFor } from '../model/waiting';
import { seconds } from '../model/words';
import type { Page } from '../page';
import { button, more } from '../parts/commands';
import { fromTo, pill, told, when } from '../parts/marks';
import { link } from '../router';

/** What it waits for; the deployment before it is a link. */
function before(reason: string): TemplateResult {
  const id = /^Waiting for deployment (\S+)$/.exec(reason)?.[1];
  if (!id) return html`<p class="big">${waitsFor(reason)}</p>`;
  return html`<p class="big">The deployment before it</p>
    <p>
      <a href=${link.deployment(id)}><code>${id}</code></a>
    </p>`;
}

export function queued(page: Page, run: Run): TemplateResult {
  const { deployment: of } = run;
  return html`<section class="hero" aria-label="Status">
    <header>
      ${pill(of.status)}
      <h1>${of.groupId} <span>${fromTo(run.from, run.to)}</span></h1>
      <span class="grow"></span>
      <div class="bs">
        ${button('', COMMANDS.takeBack, 'Take back…', whyNot('takeBack', page), () =>
          page.confirm('takeBack', of),
        )}${more(page, run)}
      </div>
      <p class="meta">
        ${of.comment ? html`${of.comment} · ` : nothing}asked for by ${of.startedBy} · ${when(run.start, page.now)}
      </p>
    </header>
    <div class="answers">
      <div>
        <h2>Place</h2>
        <p class="big">${of.queuePosition ? `${of.queuePosition}. in the queue` : 'In the queue'}</p>
        <p>Those that were asked for before it come first.</p>
      </div>
      <div>
        <h2>Waiting for</h2>
        ${before(of.reason)}
      </div>
      <div>
        <h2>Since</h2>
        <p class="big"><teal-since .at=${seconds(of.queuedAt ?? of.createdAt)}></teal-since></p>
        <p>It has changed nothing. All is checked again when its turn comes.</p>
      </div>
    </div>
    ${of.findings?.length
      ? html`<div class="stack findings">
          ${of.findings.map((one) => told(one.severity === 'error' ? 'bad' : '', 'info', one))}
        </div>`
      : nothing}
  </section>`;
}
