import type { AclRecord, ContainerRecord, SecretRecord } from '../barbican/records';

/** Records as Barbican's API shows them; `base` is the address of the API with its version, without a slash at the end. */

export function viewSecret(secret: SecretRecord, base: string) {
  const { id, name, contentType } = secret;
  return {
    status: 'ACTIVE',
    secret_type: secret.secretType,
    updated: viewTime(secret.updatedAt),
    created: viewTime(secret.createdAt),
    name,
    algorithm: secret.algorithm,
    bit_length: secret.bitLength,
    mode: secret.mode,
    expiration: secret.expiration && viewTime(secret.expiration),
    creator_id: secret.creatorId,
    ...(contentType === null ? {} : { content_types: { default: contentType } }),
    secret_ref: `${base}/secrets/${id}`,
  };
}

export function viewContainer(container: ContainerRecord, base: string) {
  const { id, name, type } = container;
  return {
    status: 'ACTIVE',
    updated: viewTime(container.updatedAt),
    created: viewTime(container.createdAt),
    name,
    type,
    creator_id: container.creatorId,
    consumers: viewConsumers(container),
    secret_refs: container.secretRefs.map((ref) => ({ name: ref.name, secret_ref: `${base}/secrets/${ref.secretId}` })),
    container_ref: `${base}/containers/${id}`,
  };
}

export function viewConsumers({ consumers }: ContainerRecord) {
  return consumers.map(({ name, url }) => ({ name, URL: url }));
}

export function viewAcl(acl: AclRecord | null) {
  if (!acl) return { read: { 'project-access': true } };
  const times = { created: viewTime(acl.createdAt), updated: viewTime(acl.updatedAt) };
  return { read: { users: acl.users, 'project-access': acl.projectAccess, ...times } };
}

/** Barbican writes microseconds and no zone. */
function viewTime(iso: string): string {
  return iso.replace(/(\.\d{3})Z$/, '$1000');
}
