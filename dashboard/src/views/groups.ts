/** Every group: what runs, what is wanted of it, what comes next. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { keyed } from 'lit-html/directives/keyed.js';
import type { Group, GroupsData, Notification } from '../api/types';
import { whyNot } from '../model/commands';
import { imageNews, nextRuns, prompt, rollNeeded, see, type Seen } from '../model/groups';
import { fromTo as images, label } from '../model/images';
import { shown, underWay } from '../model/status';
import { about, counted, seconds } from '../model/words';
import type { Page } from '../page';
import { dangers } from '../parts/banner';
import { button } from '../parts/commands';
import { after, chips, find, sought, table, type Chip } from '../parts/lists';
import { bar, fromTo, glyph, icon, note, status, version, when, type Content } from '../parts/marks';
import { link } from '../router';
import { notificationTable } from './notifications';

export const seen = (data: GroupsData): Seen[] => data.groups.map((group) => see(group, data.deployments));

export function groups(page: Page, data: GroupsData, query: URLSearchParams): TemplateResult {
  const all = seen(data);
  const shows: Record<string, (one: Seen) => boolean> = {
    '': () => true,
    attention: (one) => one.attention !== '',
    running: (one) => one.current !== null,
  };
  const chip = (value: string, word: string, sign: Content = nothing): Chip => {
    const count = all.filter(shows[value] ?? (() => true)).length;
    return { value, word, sign, count };
  };
  const list = all.filter(shows[query.get('show') ?? ''] ?? (() => true));
  const found = list.filter((one) => one.group.id.includes(sought(query)));
  return html`<div class="head">
      <h1>Groups</h1>
      ${chips(page, query, 'show', 'Filter', [
        chip('', 'All'),
        chip('attention', 'Needs attention', icon('warning')),
        chip('running', 'In progress', icon('progress')),
      ])}
      <span class="grow"></span>
      <div class="filters bare-f">${find(page, query, 'group', 'Find a group')}</div>
    </div>
    ${data.unreadable.map((one) => note('warn', 'warning', one.message))}
    <div class="card">
      ${found.map((one) => keyed(one.group.id, group(page, one, data.notifications)))}
      ${found.length ? nothing : after('No group matches.')}
    </div>
    <div class="cols below">
      <section class="card" aria-labelledby="h-pub">
        <header>
          <h2 id="h-pub">Published images</h2>
          <span class="grow"></span><a class="s" href=${link.notifications()}>All</a>
        </header>
        ${notificationTable(page, data.notifications.slice(0, 5))}
      </section>
      ${schedules(page, data.groups)}
    </div>`;
}

function group(page: Page, one: Seen, notifications: readonly Notification[]): TemplateResult {
  const { group, current } = one;
  const where = group.state?.name
    ? [
        group.state.orchestrationMode,
        group.state.location,
        group.state.zones?.length ? `zones ${group.state.zones.join(' ')}` : '',
      ]
        .filter(Boolean)
        .join(', ')
    : `scale set ${label(group.scaleSetId)}`;
  return html`<article class="grp" aria-label="Group ${group.id}">
      <div>
        <h2><a href=${link.deployments({ group: group.id })}>${group.id}</a></h2>
        <p class="s mute">${where}</p>
      </div>
      <div>${size(one)}</div>
      <div>${state(one)}</div>
      <div class="s soft">${coming(page, group, notifications)}</div>
      <div class="bs">
        ${current
          ? html`<a class="b" href=${link.deployment(current.id)}>Open</a>`
          : deployButton(page, group, 'Deploy…', '')}
      </div>
    </article>
    ${needs(page, group)}${group.dangers?.length ? html`<div class="in-card">${dangers(group.dangers)}</div>` : nothing}`;
}

function deployButton(page: Page, group: Group, words: string, look: string): TemplateResult {
  return button(look, '', words, whyNot('start', page), () => page.deploy({ groupId: group.id }));
}

function size(one: Seen): TemplateResult {
  if (one.vms === null) return html`<p class="mute">size not known</p>`;
  const names = one.images.map((of, i) => html`${i ? ' and ' : nothing}${version(of.image)}`);
  return html`<p><b>${counted(one.vms, 'VM')}</b> <span class="soft">${names}</span></p>
    ${one.vms > 40 ? nothing : html`<div class="glyphs" aria-hidden="true">${marks(one)}</div>`}`;
}

/** The image that most VMs ran before is blue; while a deployment runs, the one that it brings is green. */
function marks(one: Seen): TemplateResult[] {
  const { current, vms } = one;
  const green = current?.image.pinned
    ? (one.images.find((of) => of.image === label(current.image.pinned))?.vms ?? 0)
    : 0;
  return Array.from({ length: vms ?? 0 }, (_, i) => glyph(i < green ? 'green' : 'blue'));
}

function state(one: Seen): TemplateResult {
  const { group, current, last } = one;
  const before = last
    ? html`<p class="s soft">
        Last: <a href=${link.deployment(last.id)}>${shown(last.status).word.toLowerCase()}</a>${last.endedAt
          ? html`, <teal-since .at=${seconds(last.endedAt)}></teal-since>${last.startedAt
                ? `, in ${about(seconds(last.endedAt) - seconds(last.startedAt))}`
                : ''}`
          : nothing}
      </p>`
    : html`<p class="s mute">Never deployed to</p>`;
  if (current) {
    const { from, to } = images(current.image);
    return html`${status(current.status)}
      <p class="s soft">
        ${fromTo(from, to)}, batch ${current.currentBatch} of ${current.numberOfBatches}, ${current.progress} %
      </p>
      ${bar(current.progress, 'green short')}`;
  }
  if (group.state?.error) return html`<span class="st bad">${icon('cross')}Cannot be read</span>${before}`;
  if (rollNeeded(group)) return html`<span class="st warn">${icon('warning')}Needs a roll</span>${before}`;
  if (one.attention)
    return html`<span class="st warn">${icon('warning')}Needs attention</span>
      <p class="s soft">${one.attention}</p>
      ${before}`;
  const unhealthy = group.state?.health?.unhealthy ?? 0;
  const words = unhealthy
    ? html`<span class="st bad">${icon('cross')}${unhealthy} unhealthy</span>`
    : html`<span class="st">${icon('check')}All current</span>`;
  return html`${words}${before}`;
}

function coming(page: Page, group: Group, notifications: readonly Notification[]): TemplateResult {
  const next = nextRuns([group])[0];
  const news = imageNews(group, notifications);
  const rule = group.imageRule;
  return html`<p>
      ${next
        ? html`${icon('cal')} ${next.name},
          ${next.waiting ? 'waiting' : next.at === null ? 'not planned' : when(next.at, page.now)}`
        : html`<span class="mute">no schedule</span>`}
    </p>
    ${news
      ? html`<p title=${news.reason}>${icon('hourglass')} ${version(news.version)} waits: ${news.reason}</p>`
      : rule
        ? html`<p class="mute">${icon('image')} rule ${rule.versions}${rule.enabled ? '' : ', off'}</p>`
        : nothing}`;
}

/** The prompt, field by field; or why it cannot be told. */
function needs(page: Page, of: Group): TemplateResult | typeof nothing {
  const error = of.state?.error;
  if (error)
    return html`<div class="needs err">
      <header>
        ${icon('cross')}<span><b>${error.message}.</b> <code>${error.code}</code></span>
      </header>
    </div>`;
  if (!rollNeeded(of)) return nothing;
  const { reasons, total, outdated } = of.rollNeeded ?? { reasons: [], total: null, outdated: 0 };
  return html`<div class="needs">
    <header>
      ${icon('warning')}<span><b>${prompt(of)}.</b> New VMs would be made otherwise than these are.</span
      ><span class="grow"></span>
      ${deployButton(page, of, `Deploy to ${outdated === 1 ? 'it' : `these ${outdated}`}…`, 'small primary')}
    </header>
    ${table(
      `What differs in ${of.id}`,
      'cards fields',
      html`<th>Field</th>
        <th>Wanted by the model</th>
        <th>Found</th>
        <th class="num">VMs</th>`,
      reasons.map(
        (one) =>
          html`<tr title=${one.message}>
            <td><code>${one.field}</code></td>
            ${one.wanted === null && one.found === null
              ? html`<td colspan="2" class="soft">${one.message}</td>`
              : html`<td data-l="wanted">${value(one.wanted)}</td>
                  <td data-l="found">${value(one.found)}</td>`}
            <td class="num" data-l="VMs">${one.vms}${total ? ` of ${total}` : nothing}</td>
          </tr>`,
      ),
    )}
  </div>`;
}

/** Images by their last names: the whole is on hover. */
function value(of: unknown): TemplateResult | string {
  if (of === null || of === undefined) return '–';
  const text = typeof of === 'string' ? of : JSON.stringify(of);
  return text.startsWith('/subscriptions/') ? html`<span title=${text}>${label(text)}</span>` : text;
}

function schedules(page: Page, all: readonly Group[]): TemplateResult {
  const runs = nextRuns(all).slice(0, 12);
  return html`<section class="card" aria-labelledby="h-next">
    <header><h2 id="h-next">Next runs</h2></header>
    <div class="body">
      ${runs.length === 0 ? html`<p class="s mute">No group has a schedule.</p>` : nothing}
      <dl class="facts">
        ${runs.map(
          (one) =>
            html`<dt>${one.group}, ${one.name}</dt>
              <dd>
                ${one.waiting
                  ? html`<span class="st warn" title=${one.words}>${icon('hourglass')}waiting</span>`
                  : one.at === null
                    ? html`<span class="mute">off</span>`
                    : when(one.at, page.now)}
              </dd>`,
        )}
      </dl>
    </div>
  </section>`;
}

export const isLive = (data: GroupsData): boolean => data.deployments.some((one) => underWay(one.status));
