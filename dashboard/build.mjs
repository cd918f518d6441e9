// Builds the page into dist/: index.html, and assets/ with hashed names, each beside its gzip.
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const DIST = new URL('dist/', import.meta.url);
const ASSETS = new URL('assets/', DIST);
const SCHEMA = new URL('src/api/schema.d.ts', import.meta.url);
const OPENAPI = new URL('../docs/openapi.json', import.meta.url);
/** What is delivered until the page is shown may be no larger than this, packed. */
const LIMIT = 48 * 1024;

await types();
await rm(DIST, { recursive: true, force: true });
await mkdir(ASSETS, { recursive: true });
const files = await bundle();
await writeFile(new URL('index.html', DIST), await shell(files));
await report();

/** The types of the API, from its own document: a field that is renamed there breaks the check here. */
async function types() {
  const { default: generate, astToString } = await import('openapi-typescript');
  await writeFile(SCHEMA, astToString(await generate(OPENAPI)));
}

async function bundle() {
  const result = await build({
    entryPoints: { main: 'src/main.ts', style: 'styles/main.css' },
    absWorkingDir: new URL('.', import.meta.url).pathname,
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['es2022', 'chrome123', 'firefox128', 'safari17.5'],
    outdir: 'dist/assets',
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    splitting: true,
    legalComments: 'external',
    write: false,
  });
  const names = {};
  for (const file of result.outputFiles) {
    // The licences of what is bundled come as a file of their own, named by its content as well.
    const isLegal = file.path.endsWith('.LEGAL.txt');
    const name = isLegal ? `legal-${hash(file.contents)}.txt` : file.path.split('/').at(-1);
    if (isLegal && file.contents.length === 0) continue;
    // In minified code lines begin within templates only: there the indentation says nothing.
    const contents = Buffer.from(file.text.replace(/\n +/g, '\n'));
    await writeFile(new URL(name, ASSETS), contents);
    await writeFile(new URL(`${name}.gz`, ASSETS), gzipSync(contents, { level: 9 }));
    const [kind] = name.split('-');
    names[kind] = [...(names[kind] ?? []), name];
  }
  return names;
}

/** `{up}` stays: the server puts the way from each address to the page's folder there. */
async function shell(files) {
  const source = await readFile(new URL('index.html', import.meta.url), 'utf8');
  const icons = await readFile(new URL('icons.svg', import.meta.url), 'utf8');
  return source
    .replace('{script}', `{up}assets/${files.main[0]}`)
    .replace('{style}', `{up}assets/${files.style[0]}`)
    .replace('{shared}', (files.chunk ?? []).map(preloaded).join('\n'))
    .replace('{icons}', icons.trim())
    .replace(/\n\s*/g, '\n');
}

/** What the script imports is fetched with it, and not after it. */
function preloaded(name) {
  return `<link rel="modulepreload" href="{up}assets/${name}">`;
}

async function report() {
  const shell = gzipSync(await readFile(new URL('index.html', DIST)), { level: 9 });
  const sizes = new Map([['index.html', shell.length]]);
  for (const name of (await readdir(ASSETS)).filter((one) => one.endsWith('.gz') && !one.startsWith('legal')))
    sizes.set(name.replace('.gz', ''), (await readFile(new URL(name, ASSETS))).length);
  for (const [name, size] of sizes) console.log(`${kilo(size)}  ${name}`);
  const sum = (some) => some.reduce((total, [, size]) => total + size, 0);
  const first = sum([...sizes].filter(([name]) => !name.startsWith('more-')));
  console.log(`${kilo(first)}  packed, until the page is shown; ${kilo(sum([...sizes])).trim()} with its dialogs`);
  if (first > LIMIT) throw new Error(`The page has become too large: more than ${kilo(LIMIT).trim()}`);
}

function kilo(size) {
  return `${(size / 1024).toFixed(1)} kB`.padStart(8);
}

function hash(bytes) {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 8).toUpperCase();
}
