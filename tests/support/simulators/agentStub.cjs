// Stands in for an agent: tells in its log and in its state directory what happens to it, and keeps the signal contract.
const { appendFileSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

const config = JSON.parse(readFileSync(process.env.SLIPSTREAM_AGENT_CONFIG, 'utf8'));
const tell = (what) => appendFileSync(join(config.stateDir, 'events'), `${what}\n`);

if (process.argv.includes('--fail')) {
  tell('failed');
  process.exit(3);
}
if (!process.argv.includes('--stubborn')) {
  process.on('SIGTERM', () => {
    tell('ended');
    process.exit(0);
  });
} else {
  process.on('SIGTERM', () => tell('ignored'));
}
console.log(`agent ${config.engineId} of ${config.controllers.join(' ')}`);
tell(`started ${config.token} ${config.controllers.join(' ')}`);
setInterval(() => {}, 1000);
