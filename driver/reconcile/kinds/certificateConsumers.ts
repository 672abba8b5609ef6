import type { Logger } from 'pino';
import type { Certificates } from '../../clouds/certificates/port';
import type { Db } from '../../db/connect';
import {
  type CertificateUse,
  type ConsumerRecord,
  forgetConsumer,
  markFailing,
  markRegistered,
  recordConsumer,
} from '../../db/consumers';
import { UnavailableError } from '../../domain/errors';
import type { Happening } from '../../domain/settlement';
import type { LoadBalancerTree } from '../../domain/tree';
import { logHappenings } from '../../telemetry/happenings';
import type { Kind } from '../kind';

/** The key manager, as far as the owners of certificates are shown there what makes use of them. */
export interface KeyManager {
  readonly certificates: Pick<Certificates, 'registerConsumer' | 'unregisterConsumer'>;
  /** What the URLs of objects begin with, before `/v2`; may be empty. Without a slash at the end. */
  readonly apiUrl: string;
}

export interface ConsumerTarget {
  /** Undefined: the load balancer is gone. */
  readonly tree: LoadBalancerTree | undefined;
  readonly recorded: readonly ConsumerRecord[];
}

export interface ConsumerClouds {
  readonly keyManager: KeyManager;
  readonly db: Db;
  readonly log: Logger;
}

/** A use as it is wanted, or what the key manager was told of one. */
export type ConsumerItem = CertificateUse & Partial<Pick<ConsumerRecord, 'id' | 'url' | 'registered'>>;

/** Octavia's name for itself in Barbican's lists of consumers. */
const SERVICE_NAME = 'Octavia';

/**
 * Shows the owner of a certificate the listeners and pools that use it, as Octavia does: a container that has consumers
 * is not deleted by mistake. A failure is told of once, and does not keep the other certificates from being seen to;
 * that the key manager is away ends the run of the kind.
 */
export const certificateConsumers: Kind<ConsumerItem, ConsumerTarget, ConsumerClouds> = {
  name: 'certificate-consumer',
  key: ({ resource, resourceId, containerRef }) => `${resource} ${resourceId} ${containerRef}`,
  desired: ({ tree }) => (tree === undefined || tree.deleting ? [] : certificateUsesOf(tree)),
  observed: async ({ recorded }) => recorded,
  same: (_want, have) => have.registered === true,
  async put(want, clouds, have) {
    const { db, keyManager } = clouds;
    const url = `${keyManager.apiUrl}/v2/lbaas/${want.resource}/${want.resourceId}`;
    const record = isRecord(have) ? have : await recordConsumer(db, want, url);
    const consumer = { name: SERVICE_NAME, url: record.url };
    const tell = () => keyManager.certificates.registerConsumer(record.containerRef, consumer);
    if (await isTold(record, clouds, tell)) await markRegistered(db, record.id);
  },
  async remove(item, clouds) {
    if (!isRecord(item)) return;
    const { db, keyManager } = clouds;
    const consumer = { name: SERVICE_NAME, url: item.url };
    const tell = () => keyManager.certificates.unregisterConsumer(item.containerRef, consumer);
    if (await isTold(item, clouds, tell)) await forgetConsumer(db, item.id);
  },
};

function certificateUsesOf(tree: LoadBalancerTree): CertificateUse[] {
  const listeners = tree.listeners.filter(({ deleting }) => !deleting);
  const pools = tree.pools.filter(({ deleting }) => !deleting);
  const loadBalancerId = tree.id;
  return [
    ...listeners.flatMap(({ id: resourceId, tlsCertificateId, sniContainerIds }) =>
      [...(tlsCertificateId === null ? [] : [tlsCertificateId]), ...sniContainerIds].map((containerRef) => {
        return { loadBalancerId, resource: 'listeners' as const, resourceId, containerRef };
      }),
    ),
    ...pools.flatMap(({ id: resourceId, tls: { certificateRef: containerRef } }) =>
      containerRef === null ? [] : [{ loadBalancerId, resource: 'pools' as const, resourceId, containerRef }],
    ),
  ];
}

function isRecord(item: ConsumerItem | undefined): item is ConsumerRecord {
  return item?.id !== undefined && item.url !== undefined;
}

/** @throws UnavailableError when nothing more can be told either */
async function isTold(
  record: ConsumerRecord,
  { db, log }: ConsumerClouds,
  tell: () => Promise<void>,
): Promise<boolean> {
  try {
    await tell();
    return true;
  } catch (error) {
    const happening = untold(record, error);
    const context = { loadBalancerId: record.loadBalancerId };
    if (await markFailing(db, record.id, { happening, context })) logHappenings(log, [happening]);
    else log.debug({ err: error, consumer: record.url }, 'the key manager was not told again');
    if (error instanceof UnavailableError) throw error;
    return false;
  }
}

function untold({ resource, resourceId, containerRef }: ConsumerRecord, error: unknown): Happening {
  const reason = error instanceof Error ? error.message : String(error);
  return {
    name: 'CONSUMER_NOT_TOLD',
    severity: 'warning',
    message: `the key manager does not know yet who uses ${containerRef}; it is told again later: ${reason}`,
    resourceType: resource === 'pools' ? 'pool' : 'listener',
    resourceId,
  };
}
