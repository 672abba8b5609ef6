import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProgram } from '../../driver/cli/program';
import { type GlanceSimulator, PROJECT, startGlance } from '../support/simulators/glance';
import { type CloudFaces, startCloudFaces } from '../support/simulators/startCloudFaces';

const environment = { ...process.env };
let folder: string;
let glance: GlanceSimulator;
let faces: CloudFaces;
let printed: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ss-image-'));
  glance = await startGlance();
  faces = await startCloudFaces([{ type: 'image', name: 'glance', url: glance.url }]);
});
afterAll(async () => {
  await faces.close();
  await glance.close();
  rmSync(folder, { recursive: true });
});
beforeEach(() => {
  glance.images.clear();
  for (const name of Object.keys(process.env)) if (name.startsWith('OS_')) delete process.env[name];
  Object.assign(process.env, faces.environmentOf('admin', 'admin'));
  jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  jest.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
});
afterEach(() => {
  jest.restoreAllMocks();
  process.env = { ...environment };
});

/** Runs a command as its process would. */
async function slipstream(...words: string[]): Promise<string> {
  printed = '';
  await createProgram(() => undefined).parseAsync(words, { from: 'user' });
  return printed;
}

function aFile(name: string, content: string | Buffer): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

it('uploads an image of an engine once, however often it is told to', async () => {
  const content = Buffer.concat([Buffer.from('QFI\xfb', 'latin1'), Buffer.alloc(100_000, 'x')]);
  const file = aFile('engine-1.qcow2', content);

  const made = JSON.parse(await slipstream('image', 'upload', file, '-f', 'json'));
  const again = JSON.parse(await slipstream('image', 'upload', file, '-f', 'json'));

  expect(made).toMatchObject({
    name: 'engine-1',
    tags: ['slipstream-engine'],
    status: 'active',
    visibility: 'private',
    owner: PROJECT,
    sha512: createHash('sha512').update(content).digest('hex'),
  });
  expect(again).toEqual(made);
  expect(glance.images.size).toBe(1);
});

it('uploads under the tags and the name it is given, and lists by tag', async () => {
  const file = aFile('disk', 'raw content');
  const told = ['--tag', 'blue', '--tag', 'green', '--name', 'engine-2', '--visibility', 'shared'];
  const made = JSON.parse(await slipstream('image', 'upload', file, ...told, '-f', 'json'));
  await slipstream('image', 'upload', aFile('other', 'other content'));

  expect(made).toMatchObject({ name: 'engine-2', tags: ['blue', 'green'], visibility: 'shared' });
  expect(await slipstream('image', 'list', '--tag', 'green')).toMatch(new RegExp(`\\| ${made.id} \\| engine-2 `));
  expect(JSON.parse(await slipstream('image', 'list', '-f', 'json'))).toMatchObject([{ name: 'other' }]);
});

it('says what a cloud without images says, and what file there is not', async () => {
  await expect(slipstream('image', 'upload', join(folder, 'nothing'))).rejects.toThrow('ENOENT');
  await expect(slipstream('image', 'list', '--os-region-name', 'elsewhere')).rejects.toThrow(
    'Glance is not in the catalogue (image, public, elsewhere)',
  );
  await expect(slipstream('image', 'list', '--os-password', 'wrong')).rejects.toThrow('401');
});
