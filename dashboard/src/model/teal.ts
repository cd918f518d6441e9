/** What the page does, as the command `teal` would: its options are the API's fields in kebab case. */

type Fields = Readonly<Record<string, unknown>>;

/** The start of a deployment with these fields, which is waited for. */
export function tealDeploy(origin: string, group: string, body: Fields): string {
  return [...begin(origin), 'deploy', group, ...options(body), '--wait'].join(' ');
}

/** Following a deployment to its end. */
export const tealWatch = (origin: string, deployment: string): string =>
  [...begin(origin), 'watch', deployment].join(' ');

const begin = (origin: string): string[] => [`TEAL_URL=${quoted(origin)}`, 'teal'];

function options(fields: Fields, outer = ''): string[] {
  return Object.entries(fields).flatMap(([name, value]) => {
    const option = outer + kebab(name);
    if (value === null || value === undefined) return [];
    if (typeof value === 'boolean') return [`--${value ? '' : 'no-'}${option}`];
    if (Array.isArray(value)) return [`--${option}=${quoted(value.join(','))}`];
    if (typeof value === 'object') return options(value as Fields, `${option}-`);
    return [`--${option}=${quoted(String(value))}`];
  });
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** As a shell takes it for one word. */
const quoted = (text: string): string => (/^[\w./:,@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
