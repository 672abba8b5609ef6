#!/usr/bin/env node
import { endOnUncaught, failWith } from './cli/lifecycle';
import { createProgram } from './cli/program';

let debug = process.env['OS_DEFAULT__DEBUG'] === 'true';

endOnUncaught(() => debug);
createProgram((config) => {
  debug = config.DEFAULT.debug;
})
  .parseAsync()
  .catch((error: unknown) => failWith(error, debug));
