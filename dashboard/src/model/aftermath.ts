/** After an end that was not the one asked for: what happened, what is left, what to do. */
import type { Placed, Run } from './run';
import type { Story } from './story';
import { present, wasSick } from './health';
import { about, counted, listed, sentence, withoutBatch } from './words';

/** What can be done, by which button. */
export interface Advice {
  text: string;
  does: 'evidence' | 'deploy' | 'retry' | 'retryLonger';
  button: string;
}

export interface Aftermath {
  happened: string;
  code: string;
  /** Those that were sick, with what they said. */
  sick: Placed[];
  left: string[];
  advice: Advice[];
}

export function aftermath(run: Run, story: Story): Aftermath {
  const { deployment } = run;
  const sick = uniqueSick(run);
  return {
    happened: happened(deployment.error?.message ?? deployment.reason),
    code: deployment.error?.code ?? '',
    sick,
    left: left(run, story, sick),
    advice: advice(run, sick),
  };
}

/** Names of VMs that the page lists itself are left out of the sentence. */
function happened(reason: string): string {
  return sentence(withoutBatch(reason).replace(/ \([^()]*unhealthy[^()]*\)$/, '')) + '.';
}

function uniqueSick(run: Run): Placed[] {
  const found = new Map(run.vms.filter(wasSick).map((vm) => [vm.vmId, vm]));
  return [...found.values()].sort((one, other) => one.name.localeCompare(other.name));
}

function left(run: Run, story: Story, sick: readonly Placed[]): string[] {
  const there = present(run);
  const lines: string[] = [];
  if (there.green === 0) lines.push(`${counted(there.blue, 'VM')} on ${run.from}, as before`);
  else if (there.blue === 0) lines.push(`${counted(there.green, 'VM')} on ${run.to}`);
  else lines.push(`${there.green} green on ${run.to} and ${there.blue} blue on ${run.from}`);
  const gone = sick.filter((vm) => vm.gone);
  const kept = gone.filter((vm) => vm.evidence).length;
  if (gone.length) {
    const proof = kept ? `; evidence of ${kept === gone.length ? (kept === 1 ? 'it' : 'all') : kept} is kept` : '';
    lines.push(`${counted(gone.length, 'sick green VM is', 'sick green VMs are')} deleted${proof}`);
  }
  for (const event of run.events) {
    if (event.type === 'ImageRestored') lines.push(event.message);
    if (event.type === 'ImageNotRestored') lines.push(event.message);
    if (event.type === 'ProcessesRestored' && event.message.startsWith('Restored: ')) lines.push(event.message);
  }
  const settled = run.events.at(-1)?.data.settled !== false;
  lines.push(settled ? 'The group is free for the next deployment' : 'Something is left to be put in order');
  return story.rows.length ? lines : lines.slice(-1);
}

/** Of how many seconds of grace a retry is, where VMs were only slow to start. */
export const longer = (run: Run): number => run.deployment.gracePeriod * 2;

const DEPLOY = { does: 'deploy', button: 'Deploy…' } as const;
const RETRY = { does: 'retry', button: 'Retry…' } as const;

function advice(run: Run, sick: readonly Placed[]): Advice[] {
  const { status, error } = run.deployment;
  const proof = sick.filter((vm) => vm.evidence).map((vm) => vm.name);
  const found: Advice[] = [];
  if (proof.length) {
    const text = proof.length === 1 ? 'Find out why it was sick.' : 'Find out why they were sick.';
    found.push({ text, does: 'evidence', button: `Evidence of ${listed(proof, 2)}` });
  }
  if (status === 'failed') {
    found.push({ text: 'Mended the image? Deploy its new version.', ...DEPLOY });
    const more = `Retry with ${about(longer(run))} of grace…`;
    if (error?.code === 'batchUnhealthy')
      found.push({ text: 'Only slow to start?', does: 'retryLonger', button: more });
    else found.push({ text: 'Put right what stood in the way?', ...RETRY });
  } else if (status === 'stopped') {
    found.push({ text: 'It can go on where it was stopped.', ...RETRY });
    found.push({ text: 'Or take another image.', ...DEPLOY });
  } else if (status === 'rolledBack') {
    found.push({ text: 'Mended? Deploy what has been put right.', ...DEPLOY });
  }
  return found;
}
