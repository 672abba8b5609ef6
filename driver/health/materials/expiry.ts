import type { Db } from '../../db/connect';
import { recordEvents } from '../../db/events';
import type { Happening } from '../../domain/settlement';
import type { CertificateInUse } from './source';

/** Days before its end at which a certificate is told of, the nearest last. */
const DAYS = [30, 7, 1];
const DAY = 86_400_000;

/** What there is to tell of a certificate now; undefined while it is good for long. The same until the next threshold. */
export function expiryEvent(certificate: CertificateInUse, at: Date): Happening | undefined {
  const left = certificate.notAfter.getTime() - at.getTime();
  const threshold = DAYS.findLast((days) => left <= days * DAY);
  if (threshold === undefined) return undefined;
  const { name, fingerprint, ref, notAfter } = certificate;
  const what = `certificate ${name ?? 'without a name'} (${fingerprint.slice(0, 16)}, ${ref})`;
  if (left <= 0) {
    const message = `${what} expired on ${notAfter.toISOString()}`;
    return { name: 'CERTIFICATE_EXPIRED', severity: 'error', message };
  }
  const within = threshold === 1 ? '1 day' : `${threshold} days`;
  const message = `${what} expires within ${within}, on ${notAfter.toISOString()}`;
  return { name: 'CERTIFICATE_EXPIRES', severity: 'warning', message };
}

/** Tells of certificates near their end, each time once whoever looks. */
export interface ExpiryWatch {
  look(certificates: readonly CertificateInUse[]): Promise<void>;
}

export function createExpiryWatch({ db, date }: { readonly db: Db; readonly date: () => Date }): ExpiryWatch {
  let known = new Set<string>();
  return {
    async look(certificates) {
      const now = new Set<string>();
      for (const certificate of certificates) {
        const happening = expiryEvent(certificate, date());
        if (!happening) continue;
        const { loadBalancerId, projectId } = certificate;
        const key = `${loadBalancerId} ${happening.message}`;
        now.add(key);
        if (known.has(key)) continue;
        const { name, message } = happening;
        const told = await db('event').where({ load_balancer_id: loadBalancerId, name, message }).first('id');
        if (!told) await recordEvents(db, [happening], { loadBalancerId, projectId });
        known.add(key);
      }
      known = now;
    },
  };
}
