/** The newest deployments of all groups. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { keyed } from 'lit-html/directives/keyed.js';
import type { Deployment, Status } from '../api/types';
import { whyNot } from '../model/commands';
import { filtered, median, rowAct, statusChips, took } from '../model/history';
import { sameAgain } from '../model/again';
import { fromTo as images } from '../model/images';
import { shown } from '../model/status';
import { about, counter, seconds } from '../model/words';
import type { Page } from '../page';
import { button, command } from '../parts/commands';
import { select } from '../parts/fields';
import { after, chips, find, table, type Chip } from '../parts/lists';
import { bar, fromTo, icon, status, time, when } from '../parts/marks';
import { vars } from '../parts/vars';
import { changed, link } from '../router';

export function history(page: Page, all: readonly Deployment[], query: URLSearchParams): TemplateResult {
  const [asked, group] = [(name: string) => query.get(name) ?? '', query.get('group') ?? ''];
  const groups = [...new Set([...all.map((one) => one.groupId), ...(group ? [group] : [])])].sort();
  const ofGroup = all.filter((one) => !group || one.groupId === group);
  const list = filtered(all, { status: asked('status'), group, find: asked('find') });
  const target = group || (groups.length === 1 ? groups[0] : '');
  return html`<div class="head">
      <h1>Deployments</h1>
      <span class="soft s">${group ? `of ${group}` : 'the newest 100 of all groups'}</span><span class="grow"></span>
      ${target
        ? button('primary', 'image', 'Deploy…', whyNot('start', page), () => page.deploy({ groupId: target }))
        : html`<a class="b" href=${link.groups()}>Deploy from a group</a>`}
    </div>
    <div class="stack">
      ${ofGroup.length > 1 ? outcomes(ofGroup) : nothing}
      <section class="card" aria-label="Deployments">
        ${filters(page, query, ofGroup, groups)}${table(
          'Deployments as a table',
          'cards hist',
          html`<th>Status</th>
            <th>Deployment</th>
            <th>Group</th>
            <th>Image</th>
            <th>Progress</th>
            <th>Started by</th>
            <th>Created at</th>
            <th>Ended at</th>
            <th class="num">Took</th>
            <th><span class="sr">Actions</span></th>`,
          list.map((one) => keyed(one.id, row(page, one, all))),
        )}
        ${list.length
          ? nothing
          : after(all.length ? 'No deployment matches these filters.' : 'Nothing has been deployed yet.')}
      </section>
    </div>`;
}

const ENDS: readonly Status[] = ['finished', 'failed', 'rolledBack', 'stopped'];

function outcomes(all: readonly Deployment[]): TemplateResult {
  const longest = Math.max(1, ...all.map((one) => took(one) ?? 0));
  const height = (of: Deployment): string =>
    `${Math.round(22 + 78 * Math.sqrt((took(of) ?? longest * 0.04) / longest))}%`;
  const mark = (of: Status, tall: string, title: string): TemplateResult =>
    html`<span class="o ${shown(of).tone}" title=${title}><i ${vars({ h: tall })}></i></span>`;
  const usual = median(all);
  const counts = ENDS.map((of) => [of, all.filter((one) => one.status === of).length] as const);
  const words = counts.map(([of, count]) => `${count} ${shown(of).word.toLowerCase()}`).join(', ');
  return html`<section class="card outcome-card" aria-label="Outcomes">
    <div class="outcome-bars">
      <p class="small mute">Outcomes, oldest to newest; height is how long it took</p>
      <div class="outcomes" role="img" aria-label=${words}>
        ${all.toReversed().map((one) => mark(one.status, height(one), `${one.id}: ${shown(one.status).word}`))}
      </div>
    </div>
    <dl class="tally">
      ${counts.map(([of, count]) =>
        tallied(html`<span class="outcomes" aria-hidden="true">${mark(of, '100%', '')}</span>${shown(of).word}`, count),
      )}
      ${usual === null ? nothing : tallied('Median', about(usual))}
    </dl>
  </section>`;
}

const tallied = (name: unknown, value: unknown): TemplateResult =>
  html`<div>
    <dt>${name}</dt>
    <dd>${value}</dd>
  </div>`;

function filters(
  page: Page,
  query: URLSearchParams,
  all: readonly Deployment[],
  groups: readonly string[],
): TemplateResult {
  const statuses: Chip[] = statusChips(all).map((one) => ({
    ...one,
    sign: one.value ? icon(shown(one.value).icon) : nothing,
  }));
  const options = [{ value: '', words: 'All groups' }, ...groups.map((name) => ({ value: name, words: name }))];
  const change = (group: string): void => page.replace(changed(query, { group }));
  return html`<div class="filters">
    ${chips(page, query, 'status', 'Status', statuses)}<span class="grow"></span>
    <div class="side s">${select('f-group', 'Group', query.get('group') ?? '', options, change)}</div>
    ${find(page, query, 'deployment', 'Comment, image, id, who')}
  </div>`;
}

function row(page: Page, of: Deployment, all: readonly Deployment[]): TemplateResult {
  const { from, to } = images(of.image);
  const length = took(of);
  return html`<tr class="row">
    <td>${status(of.status)}</td>
    <td>
      <a class="cm" href=${link.deployment(of.id)}>${of.comment || html`<span class="mute">no comment</span>`}</a>
      <div class="id mono">${of.id}</div>
    </td>
    <td>${of.groupId}</td>
    <td class="nowrap">${fromTo(from, to)}</td>
    <td>${progress(of)}</td>
    <td class="soft">${of.startedBy}</td>
    <td class="nowrap soft">${when(seconds(of.createdAt), page.now)}</td>
    <td class="nowrap soft">${of.endedAt ? time(seconds(of.endedAt)) : nothing}</td>
    <td class="num soft">${length === null ? nothing : length < 3600 ? counter(length) : about(length)}</td>
    <td class="num nowrap">${act(page, of, all)}</td>
  </tr>`;
}

function progress(of: Deployment): TemplateResult {
  if (of.status === 'queued') {
    const place = of.queuePosition ? `${of.queuePosition}. in the queue` : 'waits';
    return html`<span class="mute small nowrap" title=${of.reason}>${place}</span>`;
  }
  if (of.status === 'finished') return html`<span class="mute">100 %</span>`;
  const tone = of.status === 'inProgress' ? 'green' : shown(of.status).tone;
  const back = of.rollBack?.percent;
  const percent = back ?? of.progress;
  return html`<div class="pg">
    ${bar(percent, tone)}<span class="nowrap">${back === undefined ? '' : 'back at '}${percent} %</span>
  </div>`;
}

const LOOK = 'quiet small';

function act(page: Page, of: Deployment, all: readonly Deployment[]): TemplateResult {
  const { id, groupId, image } = of;
  const start = (sign: string, words: string, wanted: object): TemplateResult =>
    button(LOOK, sign, words, whyNot('start', page), () => page.deploy({ groupId, ...wanted }));
  switch (rowAct(of, all)) {
    case 'takeBack':
      return button(LOOK, 'x', 'Take back…', whyNot('takeBack', page), () => page.confirm('takeBack', of));
    case 'approve':
      return command(page, of, 'approve', LOOK);
    case 'pause':
      return command(page, of, 'pause', LOOK);
    case 'retry':
      return start('retry', 'Retry…', { retryOf: id });
    case 'again':
      return start('retry', 'Same again…', sameAgain(of));
    case 'deployThis':
      return start('undo', 'Deploy this image…', { image: image.pinned ?? image.requested });
  }
}
