/**
 * Runs a TypeScript file without a build: `node devstack/run-ts.cjs <file> [arguments]`. Every .ts that is required gets
 * compiled by swc in memory; types are for `npm run check`.
 */
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { resolve } = require('node:path');
const { transformSync } = require('@swc/core');

Module._extensions['.ts'] = (module, filename) => {
  const { code } = transformSync(readFileSync(filename, 'utf8'), {
    filename,
    swcrc: false,
    sourceMaps: 'inline',
    jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
    module: { type: 'commonjs' },
  });
  module._compile(code, filename);
};

process.setSourceMapsEnabled(true);
const [, , file, ...rest] = process.argv;
if (!file) throw new Error('usage: node devstack/run-ts.cjs <file.ts> [arguments]');
process.argv = [process.argv[0], resolve(file), ...rest];
require(resolve(file));
