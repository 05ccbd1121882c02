/** A NestJS module: the outbox as a provider, and a relay that lives as long as the application. */
import {
  type DynamicModule,
  Inject,
  Injectable,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common'
import { createOutbox, type Outbox, type Relay, type Send } from '@product-events/outbox'
import type { Pool } from 'pg'

export interface OutboxModuleOptions {
  owner: string
  pool: Pool
  send: Send
}

const OPTIONS = Symbol('options of the outbox')
/** Provides an `Outbox`. */
export const OUTBOX = Symbol('outbox')

@Injectable()
export class OutboxRelay implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly stopping = new AbortController()
  private readonly relay: Relay
  private relaying?: Promise<void>

  constructor(
    @Inject(OUTBOX) private readonly outbox: Outbox<Record<string, unknown>>,
    @Inject(OPTIONS) private readonly options: OutboxModuleOptions,
  ) {
    const { owner, pool, send } = options
    this.relay = outbox.createRelay({ owner, db: pool, send })
  }

  /** After a commit: the events need not wait for the next poll. */
  nudge(): void {
    this.relay.nudge()
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.outbox.migrate(this.options.pool)
    this.relaying = this.relay.run(this.stopping.signal)
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort()
    await this.relaying
  }
}

@Module({})
export class OutboxModule {
  static forRoot(options: OutboxModuleOptions): DynamicModule {
    const outbox = { provide: OUTBOX, useFactory: () => createOutbox() }
    const providers = [{ provide: OPTIONS, useValue: options }, outbox, OutboxRelay]
    return { module: OutboxModule, global: true, providers, exports: [OUTBOX, OutboxRelay] }
  }
}
