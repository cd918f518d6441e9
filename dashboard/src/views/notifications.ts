/** Published images, and what each led to. */
import { html, nothing, type TemplateResult } from 'lit-html';
import { keyed } from 'lit-html/directives/keyed.js';
import type { Notification } from '../api/types';
import { imageName } from '../model/images';
import { named, seconds } from '../model/words';
import type { Page } from '../page';
import { after, table } from '../parts/lists';
import { icon, version, when } from '../parts/marks';
import { link } from '../router';

const LOOKS: Readonly<Record<string, readonly [icon: string, tone: string]>> = {
  started: ['check', ''],
  waiting: ['hourglass', 'quiet'],
  superseded: ['dash', 'quiet'],
  ignored: ['dash', 'quiet'],
  failed: ['cross', 'bad'],
};

export function notifications(page: Page, all: readonly Notification[]): TemplateResult {
  return html`<nav class="crumbs" aria-label="Where you are">
      <a href=${link.groups()}>Groups</a><span aria-hidden="true">/</span><span>Published images</span>
    </nav>
    <div class="head">
      <h1>Published images</h1>
      <span class="soft s">what Event Grid told, and what each led to</span>
    </div>
    <section class="card" aria-label="Published images">${notificationTable(page, all)}</section>`;
}

export function notificationTable(page: Page, all: readonly Notification[]): TemplateResult {
  if (all.length === 0) return after('No image has been published since Event Grid tells of them.');
  return table(
    'Published images as a table',
    'cards',
    html`<th>Image</th>
      <th>Published</th>
      <th>Group</th>
      <th>What it led to</th>`,
    all.flatMap((one) =>
      one.groups.length
        ? one.groups.map((of) => keyed(`${one.id} ${of.groupId}`, row(page, one, of)))
        : [keyed(one.id, row(page, one, null))],
    ),
  );
}

function row(page: Page, one: Notification, of: Notification['groups'][number] | null): TemplateResult {
  const outcome = of?.outcome ?? one.outcome;
  const [sign, tone] = LOOKS[outcome] ?? ['dot', 'quiet'];
  return html`<tr>
    <td>
      ${one.imageId
        ? html`${imageName(one.imageId)} ${version(one.version ?? '')}`
        : html`<span class="mute">${one.type}</span>`}
    </td>
    <td class="nowrap soft">${when(seconds(one.receivedAt), page.now)}</td>
    <td>${of?.groupId ?? ''}</td>
    <td>
      <span class="st ${tone}">${icon(sign)}${named(outcome)}</span>
      <span class="soft">${of?.reason ?? one.reason}</span>
      ${of?.deploymentId ? html`<a href=${link.deployment(of.deploymentId)}>${of.deploymentId}</a>` : nothing}
    </td>
  </tr>`;
}
