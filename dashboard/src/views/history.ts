/** The newest deployments of all groups. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { keyed } from 'lit-html/directives/keyed.js';
import type { Deployment, Status } from '../api/types';
import { COMMANDS, refusedBecause, roleMissing } from '../model/commands';
import { FILTERS, filtered, inFilter, median, rowAct, took, type RowAct } from '../model/history';
import { sameAgain } from '../model/again';
import { fromTo as images } from '../model/images';
import { shown } from '../model/status';
import { about, clock, counter, seconds, utc } from '../model/words';
import type { Page } from '../page';
import { button } from '../parts/commands';
import { fromTo, icon, status, when } from '../parts/marks';
import { vars } from '../parts/vars';
import { changed, link } from '../router';

export function history(page: Page, all: readonly Deployment[], query: URLSearchParams): TemplateResult {
  const asked = { status: query.get('status') ?? '', group: query.get('group') ?? '', find: query.get('find') ?? '' };
  const groups = [...new Set([...all.map((one) => one.groupId), ...(asked.group ? [asked.group] : [])])].sort();
  const ofGroup = all.filter((one) => !asked.group || one.groupId === asked.group);
  const list = filtered(all, asked);
  const target = asked.group || (groups.length === 1 ? groups[0] : '');
  return html`<div class="head">
      <h1>Deployments</h1>
      <span class="soft s">${asked.group ? `of ${asked.group}` : 'the newest 100 of all groups'}</span
      ><span class="grow"></span>
      ${target
        ? button('primary', 'image', 'Deploy…', roleMissing('start', page.me), () => page.deploy({ groupId: target }))
        : html`<a class="b" href=${link.groups()}>Deploy from a group</a>`}
    </div>
    <div class="stack">
      ${ofGroup.length > 1 ? outcomes(ofGroup) : nothing}
      <section class="card" aria-label="Deployments">
        ${filters(page, query, asked, ofGroup, groups)}
        <div class="scroll" tabindex="0" role="region" aria-label="Deployments as a table">
          <table class="cards hist">
            <thead>
              <tr>
                <th>Status</th>
                <th>Deployment</th>
                <th>Group</th>
                <th>Image</th>
                <th>Progress</th>
                <th>Started by</th>
                <th>Created at</th>
                <th>Ended at</th>
                <th class="num">Took</th>
                <th><span class="sr">Actions</span></th>
              </tr>
            </thead>
            <tbody>
              ${list.map((one) => keyed(one.id, row(page, one, all)))}
            </tbody>
          </table>
        </div>
        ${list.length === 0
          ? html`<p class="s mute after">
              ${all.length ? 'No deployment matches these filters.' : 'Nothing has been deployed yet.'}
            </p>`
          : nothing}
      </section>
    </div>`;
}

function outcomes(all: readonly Deployment[]): TemplateResult {
  const longest = Math.max(1, ...all.map((one) => took(one) ?? 0));
  const height = (of: Deployment): string =>
    `${Math.round(22 + 78 * Math.sqrt((took(of) ?? longest * 0.04) / longest))}%`;
  const count = (of: Status): number => all.filter((one) => one.status === of).length;
  const bar = (look: string, tall: string, title: string): TemplateResult =>
    html`<span class="o ${look}" title=${title}><i ${vars({ h: tall })}></i></span>`;
  const usual = median(all);
  const shownStatuses: readonly Status[] = ['finished', 'failed', 'rolledBack', 'stopped'];
  const words = shownStatuses.map((of) => `${count(of)} ${shown(of).word.toLowerCase()}`).join(', ');
  return html`<section class="card outcome-card" aria-label="Outcomes">
    <div class="outcome-bars">
      <p class="small mute">Outcomes, oldest to newest; height is how long it took</p>
      <div class="outcomes" role="img" aria-label=${words}>
        ${[...all]
          .reverse()
          .map((one) => bar(shown(one.status).tone, height(one), `${one.id}: ${shown(one.status).word}`))}
      </div>
    </div>
    <dl class="tally">
      ${shownStatuses.map(
        (of) =>
          html`<div>
            <dt>
              <span class="outcomes" aria-hidden="true">${bar(shown(of).tone, '100%', '')}</span>${shown(of).word}
            </dt>
            <dd>${count(of)}</dd>
          </div>`,
      )}
      ${usual === null
        ? nothing
        : html`<div>
            <dt>Median</dt>
            <dd>${about(usual)}</dd>
          </div>`}
    </dl>
  </section>`;
}

interface Asked {
  status: string;
  group: string;
  find: string;
}

function filters(
  page: Page,
  query: URLSearchParams,
  asked: Asked,
  all: readonly Deployment[],
  groups: readonly string[],
): TemplateResult {
  const set = (changes: Record<string, string>): void => page.replace(changed(query, changes));
  const value = (event: globalThis.Event): string => (event.target as HTMLInputElement).value;
  return html`<div class="filters">
    <div class="chips" role="group" aria-label="Status">
      ${FILTERS.map(
        ([name, word, sign]) =>
          html`<button
            class="chip"
            type="button"
            aria-pressed=${asked.status === name}
            @click=${() => set({ status: name })}
          >
            ${sign ? icon(sign) : nothing}${word} <b>${all.filter((one) => inFilter(one.status, name)).length}</b>
          </button>`,
      )}
    </div>
    <span class="grow"></span>
    <label class="side s"
      ><span class="sr">Group</span>
      <select class="narrow" @change=${(event: globalThis.Event) => set({ group: value(event) })}>
        <option value="" ?selected=${!asked.group}>All groups</option>
        ${groups.map((name) => html`<option value=${name} ?selected=${asked.group === name}>${name}</option>`)}
      </select>
    </label>
    <div class="find">
      ${icon('search')}<input
        type="search"
        placeholder="Comment, image, id, who"
        aria-label="Find a deployment"
        .value=${asked.find}
        @input=${(event: InputEvent) => set({ find: value(event) })}
      />
    </div>
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
    <td class="nowrap soft">${of.endedAt ? ended(of) : nothing}</td>
    <td class="num soft">${length === null ? nothing : length < 3600 ? counter(length) : about(length)}</td>
    <td class="num nowrap">${act(page, of, rowAct(of, all))}</td>
  </tr>`;
}

const ended = (of: Deployment): TemplateResult =>
  html`<time datetime=${of.endedAt ?? ''} title=${utc(seconds(of.endedAt ?? ''))}
    >${clock(seconds(of.endedAt ?? ''))}</time
  >`;

function progress(of: Deployment): TemplateResult {
  if (of.status === 'queued') {
    const place = of.queuePosition ? `${of.queuePosition}. in the queue` : 'waits';
    return html`<span class="mute small nowrap" title=${of.reason}>${place}</span>`;
  }
  if (of.status === 'finished') return html`<span class="mute">100 %</span>`;
  const tone =
    { failed: 'bad', rolledBack: 'warn', rollingBack: 'warn', inProgress: 'green' }[of.status as string] ?? '';
  const back = of.rollBack?.percent;
  const at = back ?? of.progress;
  const words = back === undefined ? `${at} %` : `back at ${back} %`;
  return html`<span class="pg"
    ><span class="bar ${tone}" ${vars({ f: `${at}%` })}><i></i></span><span class="nowrap">${words}</span></span
  >`;
}

function act(page: Page, of: Deployment, kind: RowAct): TemplateResult | typeof nothing {
  const { groupId } = of;
  const small = 'quiet small';
  const lost = page.lost ? 'Commands wait until Teal answers again' : '';
  const may = lost || roleMissing(kind === 'takeBack' ? 'takeBack' : 'start', page.me);
  switch (kind) {
    case 'takeBack':
      return button(small, COMMANDS.takeBack.icon, 'Take back…', may, () => page.confirm('takeBack', of));
    case 'pause':
      return of.status === 'awaitingApproval'
        ? button(small, 'check', 'Approve…', refusedBecause('approve', of, page.me, page.lost > 0), () =>
            page.confirm('approve', of),
          )
        : button(small, 'pause', 'Pause…', refusedBecause('pause', of, page.me, page.lost > 0), () =>
            page.confirm('pause', of),
          );
    case 'retry':
      return button(small, 'retry', 'Retry…', may, () => page.deploy({ groupId, retryOf: of.id }));
    case 'again':
      return button(small, 'retry', 'Same again…', may, () => page.deploy(sameAgain(of)));
    case 'deployThis':
      return button(small, 'undo', 'Deploy this image…', may, () =>
        page.deploy({ groupId, image: of.image.pinned ?? of.image.requested }),
      );
    default:
      return nothing;
  }
}
