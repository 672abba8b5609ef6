import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');
const PARTS = join(ROOT, 'devstack/se-image');
const read = (file: string): string => readFileSync(join(PARTS, file), 'utf8');

describe('the agent in the image of engines', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ss-image-'));
    execFileSync(process.execPath, [join(PARTS, 'collect-agent.cjs'), ROOT, folder], { stdio: 'pipe' });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('has all of its modules', () => {
    const help = execFileSync(process.execPath, [join(folder, 'dist/driver/cli.js'), 'agent', '--help'], {
      encoding: 'utf8',
    });
    expect(help).toContain('--config-drive');
    const agent = readdirSync(join(folder, 'dist/driver/agent'), { recursive: true, encoding: 'utf8' });
    const modules = agent.filter((name) => name.endsWith('.js') && !name.endsWith('Main.js'));
    const program = modules.map((name) => `require(${JSON.stringify(join(folder, 'dist/driver/agent', name))})`);
    expect(() => execFileSync(process.execPath, ['-e', program.join(';')], { stdio: 'pipe' })).not.toThrow();
  });

  it('can ask for a certificate', () => {
    const module = JSON.stringify(join(folder, 'dist/driver/agent/link/credentials.js'));
    const program = `const { newKey, requestFor } = require(${module}); requestFor(newKey(), 'engine').then(console.log)`;
    const asked = execFileSync(process.execPath, ['-e', program], { encoding: 'utf8', stdio: 'pipe' });
    expect(asked).toContain('BEGIN CERTIFICATE REQUEST');
  });

  it('has nothing of controllers', () => {
    for (const name of ['knex', 'express', 'amqplib', 'mysql2', 'typescript']) {
      expect(existsSync(join(folder, 'node_modules', name))).toBe(false);
    }
    for (const name of ['api', 'driver/worker', 'driver/health', 'driver/db', 'driver/clouds/contrail']) {
      expect(existsSync(join(folder, 'dist', name))).toBe(false);
    }
  });
});

describe('the service in the image of engines', () => {
  const unit = read('files/etc/systemd/system/slipstream-agent.service');

  it('leaves what the agent has started alone when it is stopped or loses a process', () => {
    expect(unit).toMatch(/^KillMode=process$/m);
    expect(unit).toMatch(/^OOMPolicy=continue$/m);
    expect(unit).toMatch(/^RuntimeDirectoryPreserve=yes$/m);
  });

  it('runs what is put there, with the directories that are its defaults', () => {
    expect(unit).toMatch(/^ExecStart=\/usr\/local\/bin\/node \/opt\/slipstream\/dist\/driver\/cli\.js agent$/m);
    expect(unit).toMatch(/^StateDirectory=slipstream$/m);
    expect(unit).toMatch(/^RuntimeDirectory=slipstream$/m);
  });
});

it('lets nobody into the image of engines', () => {
  const packages = read('packages').split('\n');
  expect(packages.filter((name) => /ssh|telnet|dropbear|getty|cloud-init/.test(name))).toEqual([]);
  expect(read('masked-units')).toMatch(/^serial-getty@\.service$/m);
  expect(read('files/etc/nftables.conf')).toMatch(/hook input priority filter; policy drop;/);
});

it('names no mirror in the image of engines', () => {
  const files = readdirSync(PARTS, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
  const script = readFileSync(join(ROOT, 'devstack/build-se-image.sh'), 'utf8');
  expect([...files, script].filter((text) => /https?:\/\//.test(text))).toEqual([]);
});
