import { RemovalPolicy } from 'aws-cdk-lib'
import type { Size } from '../sizes.ts'

/** Data of production outlives its stack; data of a trial goes with it. */
export function lifetime({ kept }: Size): { removalPolicy: RemovalPolicy } {
  return { removalPolicy: kept ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY }
}
