import { randomUUID } from 'node:crypto';
import { createGlanceDriver } from '../../driver/clouds/image/http';
import { createMemoryImages } from '../../driver/clouds/image/memory';
import { PROJECT, startGlance } from '../support/simulators/glance';
import { aService } from '../support/simulators/openstackService';
import { describeImageDriver, type ImageTwin } from './imageSuite';

const MAX_SIZE = 1_000_000;
const TAG = 'engine';
const OTHER_PROJECT = 'project-other';

const MEMORY: ImageTwin = {
  name: 'memory',
  maxSize: MAX_SIZE,
  open: async () => {
    let time = 0;
    let made = 0;
    const now = () => {
      time += 1000;
      return new Date(time);
    };
    const newId = () => {
      made += 1;
      return randomUUID();
    };
    const driver = createMemoryImages({ projectId: PROJECT, newId, now, maxSize: MAX_SIZE });
    return {
      driver,
      projectId: PROJECT,
      tag: TAG,
      async add({ tag, status, foreign }) {
        const image = { id: randomUUID(), name: 'engine', tags: [tag], createdAt: now(), status };
        const ownerId = foreign ? OTHER_PROJECT : PROJECT;
        driver.add({ ...image, ownerId, size: 1, visibility: 'private', sha512: null });
        return image.id;
      },
      count: async () => made,
      nextMoment: async () => undefined,
      close: async () => undefined,
    };
  },
};

const HTTP: ImageTwin = {
  name: 'http',
  maxSize: MAX_SIZE,
  open: async () => {
    const glance = await startGlance();
    glance.maxSize = MAX_SIZE;
    const service = aService('Glance', glance.url);
    return {
      driver: createGlanceDriver(service),
      projectId: PROJECT,
      tag: TAG,
      add: async ({ tag, status, foreign }) =>
        glance.add({ tags: [tag], status, owner: foreign ? OTHER_PROJECT : PROJECT }).id,
      count: async () => glance.images.size,
      nextMoment: async () => undefined,
      async close() {
        await service.close();
        await glance.close();
      },
    };
  },
};

for (const twin of [MEMORY, HTTP]) describeImageDriver(twin);
