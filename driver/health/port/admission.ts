/** Bounds who may be about to connect: from the moment a connection is there until it has proved itself. */
export interface Admission {
  /** Undefined: too many, of this address or at all. */
  enter(address: string): Pass | undefined;
  readonly waiting: number;
}

export interface Pass {
  /** It is past its handshake, or has ended in it. May be called twice. */
  leave(): void;
}

export interface AdmissionBounds {
  readonly maxHandshakes: number;
  readonly maxHandshakesPerAddress: number;
}

export function createAdmission({ maxHandshakes, maxHandshakesPerAddress }: AdmissionBounds): Admission {
  const byAddress = new Map<string, number>();
  let all = 0;
  return {
    get waiting() {
      return all;
    },
    enter(address) {
      const count = byAddress.get(address) ?? 0;
      if (all >= maxHandshakes || count >= maxHandshakesPerAddress) return undefined;
      all += 1;
      byAddress.set(address, count + 1);
      let inside = true;
      return {
        leave() {
          if (!inside) return;
          inside = false;
          all -= 1;
          const left = (byAddress.get(address) ?? 1) - 1;
          if (left > 0) byAddress.set(address, left);
          else byAddress.delete(address);
        },
      };
    },
  };
}
