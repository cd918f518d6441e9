// Builds the page into dist/: index.html, and assets/ with hashed names, each beside its gzip.
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { gzipAsync } from '@gfx/zopfli';
import { build } from 'esbuild';
import { minify } from 'terser';

const DIST = new URL('dist/', import.meta.url);
const ASSETS = new URL('assets/', DIST);
const SCHEMA = new URL('src/api/schema.d.ts', import.meta.url);
const OPENAPI = new URL('../docs/openapi.json', import.meta.url);
/** All that is delivered may be no larger than this, packed. */
const LIMIT = 49_000;
/** Around these tags white space is not seen. */
const BLOCKS = [
  'article|aside|body|dd|details|dialog|div|dl|dt|fieldset|footer|form|h[1-3]|header|legend|li|main|nav|ol|option',
  'p|pre|section|select|summary|table|tbody|td|th|thead|tr|ul',
].join('|');

await types();
await rm(DIST, { recursive: true, force: true });
await mkdir(ASSETS, { recursive: true });
const files = await bundle();
report([await shell(files), ...files]);

/** The types of the API, from its own document: a field that is renamed there breaks the check here. */
async function types() {
  const { default: generate, astToString } = await import('openapi-typescript');
  await writeFile(SCHEMA, astToString(await generate(OPENAPI)));
}

/** The script and the style: of each its name, and how many bytes are delivered. */
async function bundle() {
  const result = await build({
    entryPoints: { main: 'src/main.ts', style: 'styles/main.css' },
    absWorkingDir: new URL('.', import.meta.url).pathname,
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['es2022', 'chrome123', 'firefox128', 'safari17.5'],
    outdir: 'dist/assets',
    legalComments: 'external',
    // lit-html's private names: all that uses them is in this bundle.
    mangleProps: /^_\$/,
    write: false,
  });
  const built = new Map(result.outputFiles.map((file) => [file.path.split('/').at(-1), file.text]));
  // The licences of what is bundled come as a file of their own.
  for (const [name, text] of built) if (name.endsWith('.LEGAL.txt') && text) await asset('legal', '.txt', text);
  const script = narrow(await minified(built.get('main.js')));
  return [await asset('style', '.css', built.get('style.css')), await asset('main', '.js', script)];
}

async function minified(code) {
  const compress = { passes: 3, pure_getters: true, unsafe_arrows: true, unsafe_methods: true };
  return (await minify(code, { module: true, ecma: 2022, compress })).code;
}

/** In minified code lines begin within templates only: there white space between blocks says nothing. */
function narrow(code) {
  return code
    .replace(/\n\s*/g, '\n')
    .replace(new RegExp(`\\n(?=</?(${BLOCKS})\\b)`, 'g'), '')
    .replace(new RegExp(`(</(${BLOCKS})>)\\n`, 'g'), '$1')
    .replace(/\n(?=\/?>)/g, '');
}

/** Write a file named by its content, and its gzip, as small as gzip can be. */
async function asset(kind, ending, text) {
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 8);
  const name = `${kind}-${hash}${ending}`;
  const small = await gzipAsync(Buffer.from(text), { numiterations: 15 });
  await writeFile(new URL(name, ASSETS), text);
  await writeFile(new URL(`${name}.gz`, ASSETS), small);
  return { name, size: small.length };
}

/** `{up}` stays: the server puts the way from each address to the page's folder there. */
async function shell(files) {
  const source = await readFile(new URL('index.html', import.meta.url), 'utf8');
  const icons = await readFile(new URL('icons.svg', import.meta.url), 'utf8');
  const named = (kind) => files.find((file) => file.name.startsWith(`${kind}-`)).name;
  const html = source
    .replace('{script}', `{up}assets/${named('main')}`)
    .replace('{style}', `{up}assets/${named('style')}`)
    .replace('{icons}', icons.trim())
    .replace(/\n\s*/g, '\n');
  await writeFile(new URL('index.html', DIST), html);
  return { name: 'index.html', size: gzipSync(html, { level: 9 }).length };
}

function report(files) {
  for (const { name, size } of files) console.log(`${kilo(size)}  ${name}`);
  const all = files.reduce((total, { size }) => total + size, 0);
  console.log(`${kilo(all)}  packed, all that is delivered`);
  if (all <= LIMIT) return;
  console.error(`The page has become too large: ${kilo(LIMIT).trim()} are allowed`);
  process.exitCode = 1;
}

function kilo(size) {
  return `${(size / 1000).toFixed(1)} kB`.padStart(8);
}
