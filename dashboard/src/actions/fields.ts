/** The fields of the dialog. Each says what it does; one that is off says why. */
import { html, nothing, type TemplateResult } from 'lit-html';
import type { ImageVersion, Plan } from '../api/types';
import {
  batchSizes,
  CHECKS,
  checkRule,
  drainRule,
  holds,
  imageChoices,
  judged,
  minHealthRule,
  sizesInWords,
  type Body,
  type Known,
} from '../model/form';
import { label } from '../model/images';
import { checkbox, count, field, select, text, textOf, type Option } from '../parts/fields';
import { vars } from '../parts/vars';

/** Change what is asked for; undefined asks for nothing. */
export type Setter = (changes: Partial<Body>) => void;

export interface Form {
  known: Known;
  body: Body;
  plan: Plan | null;
  versions: readonly ImageVersion[];
  set: Setter;
}

export function fields(form: Form): TemplateResult {
  const { body, known, set } = form;
  const { group } = known;
  const checks = holds('healthCheckTypes', body, known) ?? [];
  const least = holds('batchMinHealthyPercentage', body, known);
  return html`${image(form)}${batches(form)}
    ${number(
      form,
      'gracePeriod',
      'Grace period',
      'The longest a batch may take to become healthy; at least 120 s. It goes on at once when all are.',
      { min: 120 },
    )}
    <fieldset class="f">
      <legend class="l">Health check types</legend>
      <div class="checks">${CHECKS.map((type) => check(form, type, checks))}</div>
      ${judged(group, checks)
        ? nothing
        : html`<p class="h"><b>Not judged: each batch waits its whole grace period.</b></p>`}
    </fieldset>
    <details class="advanced" ?open=${ADVANCED.some((name) => body[name] != null)}>
      <summary>Advanced</summary>
      <div class="stack">
        ${number(
          form,
          'drainingTimeout',
          'Draining timeout',
          'What connections get to finish, once their VM is out of traffic.',
          { why: drainRule(group) },
        )}
        ${number(
          form,
          'minHealth',
          'Min. Health',
          `A batch fails when this share of it is unhealthy. Left empty: at least ${least} % must be healthy.`,
          { min: 1, max: 100, of: '% unhealthy', why: minHealthRule(group, checks) },
        )}
        ${canary(form)}
        ${choice(form, 'approvals', 'Ask for approval', {
          none: 'Never',
          afterCanary: 'After the canary, else after the first batch',
          everyBatch: 'After every batch',
        })}
        ${number(form, 'bakeTime', 'Bake', 'All green VMs are watched so long before it is finished.')}
        ${choice(form, 'onFailure', 'On failure', {
          discardGreen: 'Discard the batch’s green VMs',
          keep: 'Keep them to be looked at',
          rollBack: 'Roll all batches back',
        })}
        ${choice(form, 'onConflict', 'If another deployment has the set', {
          reject: 'Refuse',
          queue: 'Wait in the queue',
          supersede: 'Stop it and take over',
        })}
      </div>
    </details>
    ${field(
      'f-comment',
      'Comment',
      text('f-comment', holds('comment', body, known) ?? '', (comment) => set({ comment: comment || undefined })),
    )}`;
}

const ADVANCED = ['canary', 'minHealth', 'approvals', 'onFailure', 'onConflict', 'drainingTimeout'] as const;

function image({ known: { group, retried }, body, versions, set }: Form): TemplateResult {
  if (retried)
    return html`<div class="f">
      <span class="l">Image</span>
      <p>${label(retried.image.pinned ?? retried.image.requested)}</p>
      <p class="h">The same again. VMs that run it and were healthy stay.</p>
    </div>`;
  const choices: Option[] = imageChoices(versions, group);
  const chosen = body.image ?? '';
  // An image by its id is shown by its version, where the group's image has that one.
  const named = chosen.includes('/') ? label(chosen) : chosen;
  const isListed = choices.some((one) => one.value === named);
  const other = chosen && !isListed ? [{ value: chosen, words: named }] : [];
  const own = `The set’s own, ${group.state?.image ?? 'whatever it is'}: only VMs of an older model`;
  const options = [...other, ...choices, { value: '', words: own }];
  return field(
    'f-image',
    'Image',
    select('f-image', 'Image', isListed ? named : chosen, options, (version) => set({ image: version || undefined })),
    choices.length ? 'Newest first.' : 'The group names no gallery image: only the set’s own can be chosen here.',
  );
}

function batches({ known, body, plan, set }: Form): TemplateResult {
  const size = holds('batchSize', body, known);
  const share = holds('batchSizePercentage', body, known) ?? 0;
  const vms = known.group.state?.capacity ?? plan?.targetSize ?? 0;
  const sizes = batchSizes(vms, body, known);
  const canary = Boolean(holds('canary', body, known)) && sizes.length > 1;
  const units = [
    { value: 'share', words: '% of the VMs' },
    { value: 'vms', words: 'VMs at most' },
  ];
  const inUnit = (unit: string): void =>
    unit === 'vms'
      ? set({ batchSizePercentage: undefined, batchSize: Math.max(1, Math.ceil((vms * share) / 100)) })
      : set({ batchSize: undefined, batchSizePercentage: share });
  const slider = html`<input
      type="range"
      id="f-batch"
      min="1"
      max="100"
      aria-describedby="f-batch-h"
      .value=${String(share)}
      @input=${(event: Event) => set({ batchSizePercentage: Number(textOf(event)) })}
    /><output for="f-batch" class="nowrap">${share} %</output>`;
  return html`<div class="f">
    <div class="row between">
      <label for="f-batch">Batch size</label>
      ${select('f-unit', 'Unit of the batch size', size ? 'vms' : 'share', units, inUnit)}
    </div>
    <div class="row">
      ${size ? count('f-batch', 'Batch size', size, [1, 1000], (vms) => set({ batchSize: vms || 1 })) : slider}
    </div>
    ${sizes.length <= 60
      ? html`<div class="drawbatches" aria-hidden="true">
          ${sizes.map(
            (n, i) =>
              html`<span class=${canary && !i ? 'canary' : ''} ${vars({ w: n })}
                >${sizes.length <= 20 ? n : nothing}</span
              >`,
          )}
        </div>`
      : nothing}
    <p class="h" id="f-batch-h">${vms ? sizesInWords(sizes, canary) : 'The size of the set is not known yet.'}</p>
  </div>`;
}

/** A number with its unit; `why` says why it is off. */
function number(
  { known, body, set }: Form,
  name: 'gracePeriod' | 'drainingTimeout' | 'bakeTime' | 'minHealth',
  word: string,
  help: string,
  { min = 0, max = 86400, of = 'seconds', why = '' } = {},
): TemplateResult {
  const put = (value: number): void => set({ [name]: Number.isNaN(value) ? undefined : value });
  const input = count(`f-${name}`, word, holds(name, body, known), [min, max], put, why !== '');
  return field(`f-${name}`, word, unit(input, of), why || help);
}

function check({ known, set }: Form, type: (typeof CHECKS)[number], chosen: readonly string[]): TemplateResult {
  const put = (on: boolean): void =>
    set({ healthCheckTypes: CHECKS.filter((one) => (one === type ? on : chosen.includes(one))) });
  return checkbox(type, type, type === 'vmState' || chosen.includes(type), put, checkRule(type, known.group));
}

function canary({ known, body, set }: Form): TemplateResult {
  const of = holds('canary', body, known);
  const put = (size: number, approval: boolean): void =>
    set({ canary: { size, approval, bakeTime: of?.bakeTime ?? 0 } });
  const asks = Boolean(of?.approval);
  return html`<div class="f">
      <div class="checks">
        ${checkbox('canary', 'A canary first', Boolean(of), (on) => (on ? put(1, true) : set({ canary: undefined })))}
        ${of ? checkbox('canaryApproval', 'then ask for approval', asks, (on) => put(of.size, on)) : nothing}
      </div>
    </div>
    ${of
      ? field(
          'f-canary',
          'Size of the canary',
          unit(
            count('f-canary', 'Size of the canary', of.size, [1, 1000], (size) => put(size || 1, asks)),
            'VMs',
          ),
          'They are a batch of their own, before the others.',
        )
      : nothing}`;
}

const unit = (input: TemplateResult, word: string): TemplateResult =>
  html`<div class="unit">${input}<span>${word}</span></div>`;

/** One of a few words of the API, each said in ours. */
function choice(
  { known, body, set }: Form,
  name: 'approvals' | 'onFailure' | 'onConflict',
  word: string,
  words: Readonly<Record<string, string>>,
): TemplateResult {
  const value = holds(name, body, known);
  const all = Array.isArray(value) ? { [String(value)]: `After batches ${value.join(', ')}`, ...words } : words;
  const options = Object.entries(all).map(([value, words]) => ({ value, words }));
  return field(
    `f-${name}`,
    word,
    select(`f-${name}`, word, String(value), options, (chosen) => set({ [name]: chosen })),
  );
}
