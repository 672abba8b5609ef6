import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGlanceDriver } from '../../../driver/clouds/image/http';
import type { ImageDriver } from '../../../driver/clouds/image/port';
import type { OpenstackService } from '../../../driver/clouds/openstack/service';
import { type GlanceSimulator, startGlance } from '../../support/simulators/glance';
import { aService } from '../../support/simulators/openstackService';

let glance: GlanceSimulator;
let service: OpenstackService;
let driver: ImageDriver;
let directory: string;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'glance-'));
  glance = await startGlance();
  service = aService('Glance', glance.url);
  driver = createGlanceDriver(service);
});
afterEach(async () => {
  await service.close();
  await glance.close();
  rmSync(directory, { recursive: true, force: true });
});

const anUpload = (size: number) => {
  const file = join(directory, 'engine.raw');
  writeFileSync(file, Buffer.alloc(size, 'x'));
  return { name: 'engine', file, diskFormat: 'raw', tags: ['engine'] } as const;
};

it('holds a small part of a large file at a time', async () => {
  const upload = anUpload(200_000_000);
  let most = 0;
  const before = process.memoryUsage.rss();
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss() - before);
  }, 5);

  const image = await driver.uploadImage(upload);
  clearInterval(watch);

  expect(image.size).toBe(200_000_000);
  expect(most).toBeLessThan(120_000_000);
}, 30_000);

it('deletes an image that Glance has not kept as it was sent', async () => {
  glance.corrupts = true;

  await expect(driver.uploadImage(anUpload(1000))).rejects.toMatchObject({ name: 'GlanceError', status: 409 });

  expect(glance.images.size).toBe(0);
});

it('sends the content once, and leaves nothing when the answer is lost', async () => {
  glance.losesUpload = true;

  await expect(driver.uploadImage(anUpload(1000))).rejects.toMatchObject({ name: 'UnavailableError' });

  expect(glance.images.size).toBe(0);
});

it('lists more images than a page has', async () => {
  for (let i = 0; i < 250; i += 1) glance.add({ tags: ['engine'] });

  const listed = await driver.listImages({ tag: 'engine' });

  expect(new Set(listed.map(({ id }) => id)).size).toBe(250);
});

it('gives an image to another project and shows it to others when told so', async () => {
  const image = await driver.uploadImage({ ...anUpload(1), ownerId: 'project-2', visibility: 'public' });

  expect(image).toMatchObject({ ownerId: 'project-2', visibility: 'public' });
});
