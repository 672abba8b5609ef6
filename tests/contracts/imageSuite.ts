import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImageDriver, ImageUpload } from '../../driver/clouds/image/port';

/** A driver, and what a test must know of its service. */
export interface ImageSite {
  readonly driver: ImageDriver;
  /** That of the driver's own account. */
  readonly projectId: string;
  /** That no image bears yet. */
  readonly tag: string;
  /** Adds an image of another project, or one without content; newer than those before. */
  add(image: { tag: string; status: 'active' | 'queued'; foreign: boolean }): Promise<string>;
  /** How many images there are with the tag. */
  count(): Promise<number>;
  /** Resolves once an image made now counts as newer than those before. */
  nextMoment(): Promise<void>;
  close(): Promise<void>;
}

/** One implementation of the port. */
export interface ImageTwin {
  readonly name: string;
  /** Largest image in bytes, where the service has so small a limit that it can be tried. */
  readonly maxSize?: number;
  readonly open: () => Promise<ImageSite>;
}

/** What every implementation does. */
export function describeImageDriver({ name, open, maxSize }: ImageTwin): void {
  describe(`an image driver (${name})`, () => {
    let site: ImageSite;
    let driver: ImageDriver;
    let tag: string;
    let directory: string;
    beforeEach(async () => {
      directory = mkdtempSync(join(tmpdir(), 'image-'));
      site = await open();
      ({ driver, tag } = site);
    });
    afterEach(async () => {
      await site.close();
      rmSync(directory, { recursive: true, force: true });
    });

    const anUpload = (size: number, change: Partial<ImageUpload> = {}): ImageUpload => {
      const file = join(directory, 'engine.qcow2');
      writeFileSync(file, Buffer.alloc(size, 'x'));
      return { name: 'engine', file, diskFormat: 'qcow2', tags: [tag], ...change };
    };

    it('uploads a file and finds it by its tag and owner', async () => {
      const image = await driver.uploadImage(anUpload(300_000, { properties: { hw_vif_model: 'virtio' } }));

      expect(image).toMatchObject({
        name: 'engine',
        status: 'active',
        tags: [tag],
        size: 300_000,
        ownerId: site.projectId,
      });
      expect(await driver.findImage({ tag, ownerId: site.projectId })).toEqual(image);
      expect(await driver.findImage({ tag })).toEqual(image);
    });

    it('finds the newest of several', async () => {
      await driver.uploadImage(anUpload(1));
      await site.nextMoment();
      const newest = await driver.uploadImage(anUpload(2));

      expect(await driver.findImage({ tag })).toEqual(newest);
    });

    it('lists what bears a tag, the newest first, of any status', async () => {
      const first = await driver.uploadImage(anUpload(1));
      await site.nextMoment();
      const empty = await site.add({ tag, status: 'queued', foreign: false });
      await site.nextMoment();
      const last = await driver.uploadImage(anUpload(2, { visibility: 'shared' }));
      await driver.uploadImage(anUpload(3, { tags: [`${tag}-other`] }));

      const listed = await driver.listImages({ tag, ownerId: site.projectId });

      expect(listed.map(({ id }) => id)).toEqual([last.id, empty, first.id]);
      expect(last).toMatchObject({
        visibility: 'shared',
        sha512: createHash('sha512').update('xx').digest('hex'),
      });
      expect(await driver.listImages({ tag, ownerId: 'project-other' })).toEqual([]);
    });

    it('finds none with another tag, of another owner, or without content', async () => {
      await site.add({ tag: `${tag}-theirs`, status: 'active', foreign: true });
      await site.add({ tag: `${tag}-empty`, status: 'queued', foreign: false });

      expect(await driver.findImage({ tag })).toBeUndefined();
      expect(await driver.findImage({ tag: `${tag}-theirs`, ownerId: site.projectId })).toBeUndefined();
      expect(await driver.findImage({ tag: `${tag}-empty` })).toBeUndefined();
    });

    if (maxSize !== undefined) {
      it('leaves nothing of an image that is too large', async () => {
        await expect(driver.uploadImage(anUpload(maxSize + 1))).rejects.toMatchObject({ status: 413 });

        expect(await site.count()).toBe(0);
      });
    }

    it('makes nothing of a file that is not there', async () => {
      const upload = { ...anUpload(1), file: join(directory, 'missing') };

      await expect(driver.uploadImage(upload)).rejects.toMatchObject({ code: 'ENOENT' });
      expect(await site.count()).toBe(0);
    });

    it('deletes an image, and takes a second deletion as done', async () => {
      const { id } = await driver.uploadImage(anUpload(1));

      await driver.deleteImage(id);
      await driver.deleteImage(id);

      expect(await driver.findImage({ tag })).toBeUndefined();
    });
  });
}
