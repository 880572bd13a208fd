import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

export const ROOT = resolve(import.meta.dirname, '../..');
const MODULES = join(ROOT, 'node_modules');

/** What the programs load by its name when it is first needed: each becomes one file. */
const LOADED_LATE = {
  api: ['cron', 'liquidjs'],
  collector: ['jsonata', 'modbus-serial', 'mqtt', 'net-snmp', 'systeminformation', 'yaml'],
};

/** Of a package with files for many uses, those that the api serves. */
const SWAGGER_UI =
  /^(package\.json|LICENSE|NOTICE|absolute-path\.js|.*\.html|.*\.png|swagger-ui(-bundle|-standalone-preset)?\.(js|css)|index\.css|oauth2-redirect\.js|swagger-initializer\.js)$/;

/** CommonJS that is bundled into a module finds what it takes for granted. */
const BANNER = [
  "import { createRequire as __createRequire } from 'node:module';",
  "import { fileURLToPath as __fileURLToPath } from 'node:url';",
  "import { dirname as __dirnameOf } from 'node:path';",
  'const require = __createRequire(import.meta.url);',
  'const __filename = __fileURLToPath(import.meta.url);',
  'const __dirname = __dirnameOf(__filename);',
].join('\n');

/**
 * Puts the programs that were built into `dist` into one folder that needs no node_modules: `apps/<name>/dist/main.js` and
 * what it finds by its path. tsc has compiled them, since esbuild leaves out the metadata of decorators.
 *
 * @param programs `api` and `collector`, or one of them.
 * @param sqlite name of the package that speaks SQLite on the Node that the package brings.
 * @returns the folders of all npm packages that are in it.
 */
export async function bundlePrograms(target, programs, sqlite) {
  const used = new Set();
  for (const name of programs) {
    for (const folder of await bundleProgram(target, name)) used.add(folder);
    cpSync(join(ROOT, 'apps', name, 'package.json'), join(target, 'apps', name, 'package.json'));
  }
  for (const folder of await bundleLate(target, programs)) used.add(folder);
  for (const folder of copyNative(target, sqlite)) used.add(folder);
  if (programs.includes('api')) {
    for (const folder of copyForApi(target)) used.add(folder);
    for (const folder of ['apps/dashboard/dist', 'apps/api/join']) {
      cpSync(join(ROOT, folder), join(target, folder), { recursive: true });
    }
    for (const folder of packagesOfDashboard()) used.add(folder);
  }
  return [...used].sort();
}

async function bundleProgram(target, name) {
  const { metafile } = await bundleModule(name, 'main.js', join(target, 'apps', name, 'dist'));
  return packagesOf(metafile);
}

/** Puts a module of a program, and all that it imports, into one file of the same name. */
export async function bundleModule(program, module, outdir) {
  const result = await build({
    absWorkingDir: ROOT,
    entryPoints: [`apps/${program}/dist/${module}`],
    outdir,
    bundle: true,
    // In one file: of CommonJS in a file of its own, `import()` would find the default alone.
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // Nest finds what to inject, and Swagger names schemas, by the names of classes.
    keepNames: true,
    // Of two ways to one file, the one that esbuild comes by first would say which tsconfig.json it heeds for it: not the same each time.
    tsconfigRaw: {},
    banner: { js: BANNER },
    legalComments: 'none',
    metafile: true,
    logLevel: 'error',
    plugins: [ownPaths, bundleWhatIsRequired, leaveOutWhatIsMissing],
  });
  const file = join(outdir, module);
  writeFileSync(file, withoutNamesOfClosures(readFileSync(file, 'utf8')));
  return result;
}

/** The lines that esbuild puts around a module which is no more than a function in the bundle, and how far its own are indented. */
const [WRAPPED, UNWRAPPED, WRAPPED_INDENT] = [/^var \w+ = __(commonJS|esm)\(/, /^\}\);/, 4];

/** What esbuild puts before an arrow function, and behind a function of a name that is no class's. */
const [OF_ARROW, OF_FUNCTION] = [
  /\b__name\((?=(async )?(\(|[\w$]+ =>))/g,
  /^\s*__name\([a-z][\w$]*, "[a-z][\w$]*"\);$/,
];

/**
 * What esbuild makes of `keepNames` gives a function within another its name anew each time that it is made, which takes ten times as long
 * as to make it, and Fastify makes three for each kind of hook. So it does that only for those that are made once, with their module:
 * nobody looks for the names of others.
 */
function withoutNamesOfClosures(text) {
  let indent = 0;
  const lines = text.split('\n').map((line) => {
    if (WRAPPED.test(line)) indent = WRAPPED_INDENT;
    else if (UNWRAPPED.test(line)) indent = 0;
    if (line.search(/\S/) <= indent) return line;
    return OF_FUNCTION.test(line) ? '' : line.replace(OF_ARROW, '__unnamed(');
  });
  return `${lines.join('\n')}\nfunction __unnamed(made) {\n  return made;\n}\n`;
}

async function bundleLate(target, programs) {
  const used = [];
  for (const name of programs.flatMap((program) => LOADED_LATE[program])) {
    const result = await build({
      absWorkingDir: ROOT,
      stdin: { contents: `module.exports = require(${JSON.stringify(name)});`, resolveDir: ROOT },
      outfile: join(target, 'node_modules', `${name}.js`),
      bundle: true,
      format: 'cjs',
      platform: 'node',
      target: 'node20',
      keepNames: true,
      legalComments: 'none',
      // Modbus is read over TCP alone.
      external: ['serialport', '@serialport/*'],
      metafile: true,
      logLevel: 'error',
      plugins: [leaveOutWhatIsMissing],
    });
    used.push(...packagesOf(result.metafile));
  }
  // The folder is one of CommonJS, whatever the folders above it say.
  writeFileSync(join(target, 'node_modules/package.json'), '{ "type": "commonjs" }\n');
  return used;
}

/** The packages that the files of a bundle are from; what a workspace needs is no package. */
function packagesOf({ inputs }) {
  const folders = Object.keys(inputs).map((file) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]);
  return folders.filter((folder) => folder !== undefined).map((folder) => join(ROOT, folder));
}

/** Our modules find files beside them, such as package.json, by where they were before they were bundled. */
const ownPaths = {
  name: 'own-paths',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/](apps|libs)[\\/][^\\/]+[\\/]dist[\\/].*\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      const [, app] = /^apps[\\/]([^\\/]+)[\\/]dist[\\/]/.exec(relative(ROOT, path)) ?? [];
      if (!text.includes('import.meta') || app === undefined) return undefined;
      const file = relative(join(ROOT, 'apps', app, 'dist'), path).replaceAll(sep, '/');
      const url = `new URL(${JSON.stringify(`./${file}`)}, import.meta.url).href`;
      const folder = `__dirnameOf(__fileURLToPath(${url}))`;
      const contents = text
        .replace(/\bimport\.meta\.dirname\b/g, 'IMPORT_META_DIRNAME')
        .replace(/\bimport\.meta\.url\b/g, url)
        .replaceAll('IMPORT_META_DIRNAME', folder);
      return { contents, loader: 'js' };
    });
  },
};

/** How a module of a package makes a `require` of its own. */
const OWN_REQUIRE = /^const require = createRequire\(import\.meta\.url\);$/m;

/**
 * What a package asks for by a `require` of its own would not be bundled, and not be there: without class-transformer, for one,
 * Nest's PickType() leaves out what a report's query is turned into.
 */
const bundleWhatIsRequired = {
  name: 'bundle-what-is-required',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]node_modules[\\/].*\.js$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      return OWN_REQUIRE.test(text) ? { contents: text.replace(OWN_REQUIRE, ''), loader: 'js' } : undefined;
    });
  },
};

/** Frameworks ask for packages that are there or not, such as TypeORM for each database; what is missing is so at run time, too. */
const leaveOutWhatIsMissing = {
  name: 'leave-out-what-is-missing',
  setup(esbuild) {
    const NATIVE = /^(swagger-ui-dist\/|@node-rs\/argon2$|better-sqlite3)/;
    esbuild.onResolve({ filter: /^[^./]/ }, async ({ path, pluginData, ...rest }) => {
      if (pluginData === 'asked' || path.startsWith('node:')) return undefined;
      if (NATIVE.test(path)) return { path, external: true };
      const { importer, namespace, resolveDir, kind } = rest;
      const found = await esbuild.resolve(path, { importer, namespace, resolveDir, kind, pluginData: 'asked' });
      return found.errors.length > 0 ? { path, external: true } : found;
    });
  },
};

/** SQLite and what it is loaded by, with no source of it. */
function copyNative(target, sqlite) {
  const from = join(MODULES, sqlite);
  const to = join(target, 'node_modules', sqlite);
  const used = [from];
  copyFile(from, to, 'package.json');
  cpSync(join(from, 'lib'), join(to, 'lib'), { recursive: true });
  for (const file of binariesOf(from)) copyFile(from, to, relative(from, file));
  const { dependencies = {} } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'));
  for (const folder of withDependencies(Object.keys(dependencies).filter((name) => name !== 'prebuild-install'))) {
    copyPackage(folder, target);
    used.push(folder);
  }
  return used;
}

/** The binaries of this platform: those that were compiled here, or those of the package that are for it. */
function binariesOf(folder) {
  const compiled = join(folder, 'build/Release/better_sqlite3.node');
  if (existsSync(compiled)) return [compiled];
  const files = readdirSync(folder, { recursive: true }).map((file) => join(folder, file));
  const own = new RegExp(`${process.platform}[-_.]${process.arch}`);
  const found = files.filter((file) => file.endsWith('.node') && own.test(file));
  if (found.length === 0) throw new Error(`${folder} has no binary for ${process.platform} ${process.arch}`);
  return found;
}

function copyForApi(target) {
  const swagger = join(MODULES, 'swagger-ui-dist');
  for (const file of readdirSync(swagger).filter((name) => SWAGGER_UI.test(name))) {
    copyFile(swagger, join(target, 'node_modules/swagger-ui-dist'), file);
  }
  const argon2 = [join(MODULES, '@node-rs/argon2'), ...argonBinaries()];
  for (const folder of argon2) {
    copyPackage(folder, target);
  }
  return [swagger, ...argon2];
}

const argonBinaries = () => {
  const own = `argon2-${process.platform}-${process.arch}`;
  const found = readdirSync(join(MODULES, '@node-rs')).filter((name) => name.startsWith(own));
  if (found.length === 0) throw new Error(`There is no @node-rs/${own}: run npm ci on this machine`);
  return found.map((name) => join(MODULES, '@node-rs', name));
};

/** What Vite puts into the page: all that its sources import, and what that needs. */
function packagesOfDashboard() {
  const imported = new Set();
  const folder = join(ROOT, 'apps/dashboard/src');
  for (const file of readdirSync(folder, { recursive: true })) {
    if (!/\.tsx?$/.test(file) || /\.test\./.test(file)) continue;
    const text = readFileSync(join(folder, file), 'utf8');
    for (const [, name] of text.matchAll(/from '((?:@[^/']+\/)?[^./'][^/']*)/g)) imported.add(name);
  }
  return withDependencies([...imported].filter((name) => !/^(@device-metrics\/|node:)/.test(name)));
}

/** The folders of packages and of all that they need at run time. */
function withDependencies(names, from = ROOT, found = new Set()) {
  for (const name of names) {
    const folder = folderOf(name, from);
    if (folder === undefined || found.has(folder)) continue;
    found.add(folder);
    const { dependencies = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    withDependencies(Object.keys(dependencies), folder, found);
  }
  return [...found];
}

function folderOf(name, from) {
  const paths = createRequire(pathToFileURL(join(from, 'x.js'))).resolve.paths(name) ?? [];
  return paths.map((path) => join(path, name)).find((path) => existsSync(join(path, 'package.json')));
}

/** A whole package, without what is for those who build it. */
function copyPackage(folder, target) {
  const filter = (file) => !/^\.(npmignore|git|eslint|travis)/.test(basename(file));
  cpSync(folder, join(target, 'node_modules', relative(MODULES, folder)), { recursive: true, filter });
}

function copyFile(from, to, file) {
  const target = join(to, file);
  mkdirSync(dirname(target), { recursive: true });
  cpSync(join(from, file), target);
}

/** Deletes a folder and makes it again. */
export function emptyFolder(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
}

/** Bytes of a file, or of all files of a folder. */
export function sizeOf(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.size;
  return readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0);
}
