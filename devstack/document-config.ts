import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { documentConfig } from '../driver/config/document';

/** Writes docs/configuration.md; with `--check` only says whether it is what the schemas say. */
const file = join(__dirname, '..', 'docs', 'configuration.md');
if (!process.argv.includes('--check')) {
  writeFileSync(file, documentConfig());
} else if (readFileSync(file, 'utf8') !== documentConfig()) {
  process.stderr.write('docs/configuration.md is not what driver/config says: run "npm run generate".\n');
  process.exitCode = 1;
}
