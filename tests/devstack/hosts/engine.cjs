/**
 * Stands for an agent in tests of the lab's hosts: learns who it is as an agent does, calls the controller and tells what
 * it was told, then what changes of its interfaces. Its arguments are the agent's: `--state-dir D [--config-drive D]`.
 */
const { execFileSync } = require('node:child_process');
const { readFileSync, writeFileSync, existsSync } = require('node:fs');
const { connect } = require('node:net');
const { join } = require('node:path');

const option = (name) => process.argv[process.argv.indexOf(name) + 1];
const drive = process.argv.includes('--config-drive') ? option('--config-drive') : undefined;
const bootFile = join(option('--state-dir'), 'boots');
const boots = existsSync(bootFile) ? Number(readFileSync(bootFile, 'utf8')) + 1 : 1;
writeFileSync(bootFile, String(boots));

const read = async (name) => {
  if (drive) return readFileSync(join(drive, 'openstack/latest', name), 'utf8');
  return (await fetch(`http://169.254.169.254/openstack/latest/${name}`)).text();
};

/** What an agent does with a config drive: its first interface has no address. */
const configure = ({ links, networks }) => {
  const { ifname } = JSON.parse(execFileSync('ip', ['-json', 'link'], { encoding: 'utf8' })).find(
    ({ address }) => address === links[0].ethernet_mac_address,
  );
  const [{ ip_address: ip }] = networks;
  execFileSync('ip', ['link', 'set', ifname, 'up']);
  execFileSync('ip', ['address', 'replace', `${ip}/24`, 'dev', ifname]);
};

const run = async () => {
  const meta = JSON.parse(await read('meta_data.json'));
  const network = JSON.parse(await read('network_data.json'));
  if (drive) configure(network);
  const controller = connect({ host: meta.meta.AVICNTRL, port: Number(meta.meta.port) });
  controller.write(`${JSON.stringify({ meta, network, boots })}\n`);
  controller.on('error', () => process.exit(1));
};

run().catch((error) => {
  console.error(error);
  process.exit(1);
});
