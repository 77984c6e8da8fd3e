// Owns what lint enforces: the direction of imports (docs/architecture.md), no any, no floating promises.
import tseslint from 'typescript-eslint';

const outside = {
  mediasoup: ['mediasoup', 'mediasoup/*'],
  matrix: ['matrix-bot-sdk', 'matrix-appservice-bridge'],
  livekit: ['@livekit/protocol', '@bufbuild/protobuf', 'sdp-transform'],
  store: ['better-sqlite3'],
  crypto: ['@matrix-org/matrix-sdk-crypto-wasm'],
  http: ['express'],
  page: ['react', 'react-dom', 'react-dom/*', 'livekit-client', '@livekit/components-react', '@livekit/components-styles', 'matrix-widget-api'],
  tools: ['playwright-core', 'vite', 'esbuild', 'mocha', 'fast-check', 'livekit-client-oldest', 'fake-indexeddb', 'matrix-js-sdk', 'matrix-js-sdk/*', '@element-hq/*'],
};
const everything = Object.values(outside).flat();
const adapters = ['matrix', 'auth', 'livekit', 'sfu', 'store', 'http', 'cascade'];
const ours = (folders) => folders.map((folder) => `**/${folder}/**`);

/** One rule set per folder: which folders of ours and which packages it may not import, and why. */
function house(folder, { folders = [], packages = [], reason }) {
  const patterns = [
    ...(folders.length > 0 ? [{ group: ours(folders), message: `${folder}/ may not import that folder: ${reason}` }] : []),
    ...(packages.length > 0 ? [{ group: packages, allowTypeImports: false, message: `${folder}/ may not import that package: ${reason}` }] : []),
    { group: ['**/bridge.ts'], message: 'bridge.ts is the composition root: only main.ts, cli/, demo/ and spec/ start one.' },
  ];
  return { files: [`src/${folder}/**/*.ts`], rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] } };
}

const allBut = (...groups) => everything.filter((name) => !groups.some((group) => outside[group].includes(name)));
const others = (folder) => [...adapters.filter((name) => name !== folder), 'cli', 'web', 'demo'];

export default tseslint.config(
  { ignores: ['node_modules/', 'dist/', 'coverage/', '.viaduc/'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: { allowDefaultProject: ['eslint.config.js'] }, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true, varsIgnorePattern: '^_', argsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-condition': ['error', { allowConstantLoopConditions: true }],
      '@typescript-eslint/no-extraneous-class': 'off',
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  house('call', {
    folders: [...adapters, 'control', 'config', 'log', 'cli', 'web', 'demo'],
    packages: [...everything, 'node:*', 'zod', 'winston', 'ws', 'jose', 'prom-client'],
    reason: 'the domain is pure: no I/O, no clock, no library.',
  }),
  house('control', { folders: [...adapters, 'config', 'cli', 'web', 'demo'], packages: allBut('mediasoup'), reason: 'use cases know ports, not adapters.' }),
  {
    files: ['src/control/**/*.ts', 'src/livekit/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { paths: [{ name: 'mediasoup', message: 'Only sfu/ runs mediasoup; take types from mediasoup/types.' }] }] },
  },
  house('sfu', { folders: others('sfu'), packages: allBut('mediasoup'), reason: 'only media belongs here.' }),
  house('matrix', { folders: others('matrix'), packages: allBut('matrix', 'http'), reason: 'only the Matrix side belongs here.' }),
  house('matrix/encryption', { folders: others('matrix'), packages: allBut('crypto', 'store'), reason: 'the crypto machine and its file, in a thread of their own.' }),
  house('livekit', { folders: others('livekit'), packages: allBut('livekit', 'mediasoup'), reason: 'only LiveKit signalling belongs here.' }),
  house('auth', { folders: others('auth'), packages: allBut('http'), reason: 'the doors get what they need as ports.' }),
  house('cascade', { folders: others('cascade'), packages: everything, reason: 'links to other bridges know homeservers and media as ports only.' }),
  house('store', { folders: others('store'), packages: allBut('store'), reason: 'only storage belongs here.' }),
  house('http', { folders: others('http'), packages: allBut('http'), reason: 'only HTTP belongs here.' }),
  house('log', { folders: [...adapters, 'call', 'control', 'config', 'cli', 'web', 'demo'], packages: everything, reason: 'a leaf imports nothing of ours.' }),
  house('util', { folders: [...adapters, 'call', 'control', 'config', 'cli', 'web', 'demo'], packages: everything, reason: 'a leaf imports nothing of ours but log/.' }),
  house('config', { folders: [...adapters, 'control', 'cli', 'web', 'demo'], packages: everything, reason: 'a leaf imports nothing of ours but the domain\'s words.' }),
  {
    files: ['src/call/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', ...['Date', 'setTimeout', 'setInterval', 'fetch', 'process', 'crypto', 'performance'].map((name) => ({ name, message: 'The domain is pure: time, ids and randomness arrive in its input.' }))],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: 'Randomness arrives in the input.' }],
      'no-restricted-syntax': ['error', { selector: ':function[async=true]', message: 'The domain is synchronous.' }],
    },
  },
  // winston's declarations describe its transports as interfaces, which this rule cannot tell from look-alikes.
  { files: ['src/log/logger.ts'], rules: { '@typescript-eslint/no-unsafe-class-instance-assignment': 'off' } },
  { files: ['src/cli/**/*.ts', 'src/demo/**/*.ts', 'bench/**/*.ts', 'spec/**/*.ts', 'tools/**/*'], rules: { 'no-console': 'off' } },
  {
    files: ['spec/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  { files: ['**/*.js', '**/*.mjs', '**/*.cjs'], ...tseslint.configs.disableTypeChecked },
);
