/** All events in order, in a tab of their own. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { keyed } from 'lit-html/directives/keyed.js';
import { beneath, byBatch, eventLook } from '../model/events';
import type { Happened, Run } from '../model/run';
import type { Story } from '../model/story';
import { waiting } from '../model/waiting';
import { counter } from '../model/words';
import { icon, time } from './marks';

/** So many rows of events are in the document; older ones come on demand. */
const ROWS_MAX = 200;

/** `first` is the number of the first event that is shown: null shows the last ones. */
export function allEvents(
  run: Run,
  story: Story,
  first: number | null,
  earlier: (from: number) => void,
): TemplateResult {
  const start = first ?? Math.max(0, run.events.length - ROWS_MAX);
  const shown = run.events.slice(start, start + ROWS_MAX);
  const page = (from: number, words: string): TemplateResult =>
    html`<button class="b small" type="button" @click=${() => earlier(from)}>${words}</button>`;
  return html`<section class="card" aria-labelledby="h-all">
    <header>
      <h2 id="h-all">Events in order</h2>
      <span class="mute s">new ones at the end</span><span class="grow"></span>
      ${start > 0 ? page(Math.max(0, start - ROWS_MAX), `Earlier ${Math.min(start, ROWS_MAX)}`) : nothing}
      ${start + ROWS_MAX < run.events.length ? page(start + ROWS_MAX, 'Later') : nothing}
    </header>
    <div class="body">
      ${byBatch(shown).map((group) =>
        keyed(
          group.key,
          html`<h3 class="evgroup">${group.heading}</h3>
            <ol class="evs">
              ${group.events.map((event) => keyed(event.sequence, long(run, event)))}
            </ol>`,
        ),
      )}
      ${run.end === null ? next(run, story) : nothing}
    </div>
  </section>`;
}

function long(run: Run, event: Happened): TemplateResult {
  const { icon: sign, tone } = eventLook(event);
  return html`<li class="ev ev-full ${tone}" id="e${event.sequence}">
    ${time(event.at, true)}<span class="mute el">+${counter(event.at - run.start)}</span
    ><span class="rail">${icon(sign)}</span>
    <p title=${event.message}>${beneath(event)}</p>
    <code>${event.type}</code>
  </li>`;
}

function next(run: Run, story: Story): TemplateResult {
  const of = waiting(run, story);
  const until = of.span ? html`, until ${time(of.span.until, true)} at the latest` : nothing;
  return html`<p class="s mute next">${icon('progress', 'spin')} ${of.what}${until}</p>`;
}
