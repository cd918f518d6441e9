/** The first thing of a deployment's page: what, how well, what it waits for, and what can be done. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { health, healthWords, type Health } from '../model/health';
import type { Run } from '../model/run';
import { length, type Drawn, type Row, type Story } from '../model/story';
import { sameAgain } from '../model/again';
import { whyNot } from '../model/commands';
import { waiting } from '../model/waiting';
import { about, clock, counted, counter, day, mean } from '../model/words';
import type { Page } from '../page';
import { commands, button, more } from './commands';
import { bar, glyph, time, when } from './marks';
import { answer, heroCard } from './hero-card';
import { vars } from './vars';

export function hero(page: Page, known: Drawn): TemplateResult {
  const { run } = known;
  const { startedBy, comment } = run.deployment;
  const over = run.end !== null;
  const until = run.end === null ? html`, <teal-since .at=${run.start}></teal-since>` : html` to ${time(run.end)}`;
  return heroCard(page, run, {
    buttons: over ? afterwards(page, run) : commands(page, run.deployment, more(page, run)),
    why: run.rollBack?.why ?? comment,
    who: html`started by ${startedBy} · ${when(run.start, page.now)}${until}`,
    body: html`<div class="answers">
      ${progress(page, known)}${how(page, known)}${over ? took(known) : waits(page, known)}
    </div>`,
  });
}

function afterwards(page: Page, run: Run): TemplateResult {
  const { groupId, image, status } = run.deployment;
  const why = whyNot('start', page);
  const { previous } = image;
  return html`<div class="bs">
    ${previous && status === 'finished'
      ? button('', 'undo', `Roll back to ${run.from}…`, why, () => page.deploy({ groupId, image: previous }))
      : nothing}
    ${button('', 'retry', 'Same again…', why, () => page.deploy(sameAgain(run.deployment)))}${more(page, run)}
  </div>`;
}

function progress(page: Page, { run, story }: Drawn): TemplateResult {
  const { deployment } = run;
  const last = page.lost ? ', last known' : '';
  if (run.end !== null) {
    const done = story.rows.filter((row) => row.done && !row.back).length;
    return answer(
      'Outcome',
      deployment.reason,
      html`${ribbon(story)}
        <p>${counted(done, 'batch', 'batches')} of ${forward(story)} done</p>`,
    );
  }
  const batch = deployment.currentBatch
    ? html`Batch ${number(deployment.currentBatch, run)} <span class="of">of ${total(run)}</span>`
    : html`Before the first batch`;
  const began = run.rollBack ? `Began at ${run.rollBack.percent} %. ` : '';
  const left = story.expectedEnd === null ? 0 : story.expectedEnd - run.now;
  const words = page.lost
    ? html`${deployment.progress} % at ${time(run.now, true)}`
    : html`${began}${deployment.progress} %, about ${about(left)}
      ${deployment.decision ? 'more then' : 'left'}${deployment.decision
        ? nothing
        : html`, until ≈ ${clock(story.expectedEnd ?? run.now)}`}`;
  return answer(
    `Progress${last}`,
    batch,
    html`${ribbon(story)}
      <p>${words}</p>`,
  );
}

const forward = (story: Story): number => story.rows.filter((row) => !row.back).length;

/** Batches that go back are counted by themselves. */
function number(current: number, run: Run): number {
  const back = run.batches.find((batch) => batch.number === current)?.back;
  return back ? current - (run.deployment.numberOfBatches - run.deployment.rollbackBatches) : current;
}

function total(run: Run): string {
  const { numberOfBatches, rollbackBatches } = run.deployment;
  const current = run.batches.find((batch) => batch.number === run.deployment.currentBatch);
  if (current?.back) return `${rollbackBatches} back`;
  return `${numberOfBatches}${current?.canary ? ', the canary' : ''}`;
}

/** A batch each: full, half, or to come. */
export function ribbon(story: Story): TemplateResult {
  const back = story.rows.some((row) => row.back);
  const rows = story.rows.filter((row) => (back ? row.back : true));
  return html`<div class="ribbon" aria-hidden="true">
    ${rows.map(
      (row) =>
        html`<span class=${ribbonLook(row)} ${vars({ w: Math.max(1, row.green), f: filled(row) })}
          >${row.live ? html`<i></i>` : nothing}</span
        >`,
    )}
  </div>`;
}

function ribbonLook(row: Row): string {
  if (row.failure) return 'fail';
  if (row.done) return row.back ? 'back' : 'done';
  if (row.live?.kind === 'gate') return 'done';
  if (row.live) return row.back ? 'backnow' : 'now';
  return '';
}

const FILLED: Readonly<Record<string, string>> = {
  launch: '12%',
  health: '30%',
  drain: '55%',
  terminate: '90%',
  bake: '100%',
};
const filled = (row: Row): string => FILLED[row.live?.kind ?? ''] ?? '0%';

function how(page: Page, { run, story }: Drawn): TemplateResult {
  const of = health(run, story);
  const sick = of.sick ? html`<span class="badtext">${of.sick} sick</span>` : 'none sick';
  return answer(
    `Health${page.lost ? ', last known' : ''}`,
    html`${of.green + of.blue} serve, ${sick}`,
    html`${dots(run, of)}
      <p>${healthWords(of, run.floor)}</p>`,
  );
}

/** Up to forty VMs each have a mark; more are a bar. */
export function dots(run: Run, of: Health): TemplateResult {
  const { blue, green, starting } = of;
  if (blue + green + starting > 40)
    return html`<div class="bar stack2" aria-hidden="true">
      <i class="green" ${vars({ w: green })}></i><i class="blue" ${vars({ w: blue })}></i
      ><i class="new" ${vars({ w: starting })}></i>
    </div>`;
  const many = (count: number, side: Parameters<typeof glyph>[0]): TemplateResult[] =>
    Array.from({ length: count }, () => glyph(side));
  return html`<div class="glyphs" aria-hidden="true">
    ${many(green, 'green')}${many(blue, 'blue')}${starting
      ? html`<i class="gap"></i>${many(starting, run.rollBack ? 'out' : 'new')}`
      : nothing}
  </div>`;
}

function waits(page: Page, { run, story }: Drawn): TemplateResult {
  const of = waiting(run, story);
  const heading = `Waiting for${page.lost ? ', last known' : ''}`;
  if (!of.span) return answer(heading, of.what, nothing);
  const { from, until } = of.span;
  const share = Math.min(100, Math.max(0, (100 * (run.now - from)) / (until - from)));
  const far = until - run.now > 3600 * 12 ? `${day(until)}, ` : '';
  return answer(
    heading,
    of.what,
    html`${bar(+share.toFixed(1), of.tone)}
      <p>
        <b><teal-until .at=${until}></teal-until></b> ${of.left.replace(/\.$/, '')}, until ${far}${time(until, !far)}.
        ${of.then}
      </p>`,
  );
}

function took({ run, story }: Drawn): TemplateResult {
  const all = (run.end ?? run.now) - run.start;
  const done = story.rows.filter((row) => row.done && row.begun);
  const each = mean(done, (row) => (row.done ?? 0) - (row.begun ?? 0));
  const drained = story.rows.flatMap((row) => row.bars.filter((bar) => bar.kind === 'drain'));
  return answer(
    'Took',
    counter(all),
    done.length
      ? html`<p>A batch took ${counter(each)} on average, ${counter(mean(drained, length))} of it draining.</p>`
      : nothing,
  );
}
