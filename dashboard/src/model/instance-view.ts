/** Azure's instance view of a VM as lines: a status is one line, whatever it is made of. */

export type Line = [name: string, value: string];

interface Told {
  code?: unknown;
  displayStatus?: unknown;
  message?: unknown;
}

export function instanceLines(value: unknown, path = ''): Line[] {
  if (value === null || value === undefined || value === '') return [];
  if (typeof value !== 'object') return [[path, String(value)]];
  if (Array.isArray(value)) return value.flatMap((one) => instanceLines(one, named(path, one)));
  if ('displayStatus' in value || 'code' in value) return [[path, status(value)]];
  return Object.entries(value).flatMap(([name, part]) =>
    name === 'name' ? [] : instanceLines(part, joined(path, name)),
  );
}

function status({ code, displayStatus, message }: Told): string {
  const said = String(displayStatus ?? code ?? '');
  return message ? `${said}: ${String(message)}` : said;
}

/** An item by its own name, where it has one. */
function named(path: string, of: unknown): string {
  const name = (of as { name?: unknown } | null)?.name;
  return typeof name === 'string' ? name : path;
}

/** `statuses` says nothing that its place does not. */
function joined(path: string, name: string): string {
  if (/^(sub)?status(es)?$/.test(name) && path) return path;
  // `vmAgentVersion` of `vmAgent` needs no place.
  return path && !name.startsWith(path) ? `${path}.${name}` : name;
}
