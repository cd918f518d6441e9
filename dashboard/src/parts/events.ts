/** The latest events, beside the overview. */
import { html, type TemplateResult } from 'lit-html';
import { keyed } from 'lit-html/directives/keyed.js';
import { brief, eventLook } from '../model/events';
import type { Happened, Run } from '../model/run';
import { link } from '../router';
import { icon, time } from './marks';

const LATEST = 14;

export function latest(run: Run): TemplateResult {
  const events = run.events.slice(-LATEST);
  return html`<section class="card" aria-labelledby="h-ev">
    <header>
      <h2 id="h-ev">Latest events</h2>
      <span class="grow"></span>
      <a class="s" href=${link.deployment(run.deployment.id, 'events')}>All ${run.events.length}</a>
    </header>
    <div class="body">
      <ol class="evs">
        ${events.map((event) => keyed(event.sequence, short(event)))}
      </ol>
    </div>
  </section>`;
}

function short(event: Happened): TemplateResult {
  const { icon: sign, tone } = eventLook(event);
  return html`<li class="ev ${tone}">
    ${time(event.at, true)}<span class="rail">${icon(sign)}</span>
    <p title=${event.message}>${brief(event)}</p>
  </li>`;
}
