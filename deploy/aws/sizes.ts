import type { Settings } from './settings.ts'

/** The numbers in which an installation for production and one for a trial differ. */
export interface Size {
  /** Tasks of each service, at least and at most. */
  productService: Range
  notificationService: Range
  relay: Range
  /** RDS: the class of an instance without its prefix, a standby in the other zone, days of backups. */
  databaseClass: string
  standby: boolean
  backupDays: number
  /** Deletion protection, final snapshots, resources that survive their stack. */
  kept: boolean
  logDays: 7 | 30
}

interface Range {
  min: number
  max: number
}

export const sizes: Record<Settings['size'], Size> = {
  production: {
    // One task in each zone; a rollout starts a third before it stops one.
    productService: { min: 2, max: 8 },
    notificationService: { min: 2, max: 6 },
    // 64 lanes over four relays are still 16 each; more relays only make each lane's batches smaller.
    relay: { min: 2, max: 4 },
    databaseClass: 't4g.medium',
    standby: true,
    backupDays: 14,
    kept: true,
    logDays: 30,
  },
  trial: {
    productService: { min: 1, max: 2 },
    notificationService: { min: 1, max: 2 },
    relay: { min: 1, max: 2 },
    databaseClass: 't4g.micro',
    standby: false,
    backupDays: 1,
    kept: false,
    logDays: 7,
  },
}
