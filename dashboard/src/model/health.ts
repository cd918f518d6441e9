/** How well a deployment's VMs are: how many serve, come, and are sick. */
import type { Placed, Run } from './run';
import type { Story } from './story';
import { counted } from './words';

export interface Health {
  blue: number;
  green: number;
  /** New ones that are not judged yet. */
  starting: number;
  sick: number;
  /** Sick ones that are deleted. */
  were: number;
}

const isSick = (vm: Placed): boolean => vm.status === 'unhealthy';

/** Something said that it was sick: a VM that was never judged may be called unhealthy too. */
export const wasSick = (vm: Placed): boolean =>
  isSick(vm) && (vm.evidence || vm.readings.some((one) => one.health !== 'healthy'));

export function health(run: Run, story: Story): Health {
  const serving = story.steps.at(-1) ?? { blue: 0, green: 0 };
  const judged = new Set(['healthy', 'unhealthy']);
  return {
    blue: serving.blue,
    green: serving.green,
    starting: run.end ? 0 : run.vms.filter((vm) => vm.comes && !vm.gone && !judged.has(vm.status)).length,
    sick: run.vms.filter((vm) => wasSick(vm) && !vm.gone).length,
    were: run.vms.filter((vm) => wasSick(vm) && vm.gone).length,
  };
}

/** The same in one sentence. */
export function healthWords(of: Health, floor: number | null): string {
  const parts = [`${of.green} green, ${of.blue} blue`];
  if (of.starting) parts.push(`${of.starting} new not judged yet`);
  if (of.were) parts.push(`${counted(of.were, 'sick one is', 'sick ones are')} deleted`);
  return `${parts.join('; ')}.${floor === null ? '' : ` Floor ${floor}, held.`}`;
}

/** What of a set is there now, by side. */
export function present(run: Run): { blue: number; green: number } {
  // A VM that came in one batch may have gone in another one, back.
  const gone = new Set(run.vms.filter((vm) => vm.gone).map((vm) => vm.vmId));
  const there = new Map(run.vms.filter((vm) => !gone.has(vm.vmId)).map((vm) => [vm.vmId, vm.side]));
  const sides = [...there.values()];
  return { blue: sides.filter((one) => one === 'blue').length, green: sides.filter((one) => one === 'green').length };
}

/** Trouble first, then what moves, then what serves, then what is gone. */
export function rank(vm: Placed): number {
  if (isSick(vm)) return vm.gone ? 1 : 0;
  if (vm.gone) return 7;
  if (vm.comes && vm.status !== 'healthy') return 2;
  if (vm.reason.startsWith('Stays')) return 3;
  if (vm.status === 'detached') return 4;
  return vm.side === 'green' ? 5 : 6;
}
