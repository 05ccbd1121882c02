import { App, Tags, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import type { Settings } from './settings.ts'
import { createData } from './stacks/data.ts'
import { createMonitoring } from './stacks/monitoring.ts'
import { createNetwork } from './stacks/network.ts'
import { createServices } from './stacks/services.ts'

/** The schemas of CloudFormation are errors, not warnings, and defaults are those of a new project. */
const context = {
  '@aws-cdk/core:validateAgainstDefaultRules': true,
  '@aws-cdk/aws-iam:minimizePolicies': true,
  '@aws-cdk/aws-ecs:arnFormatIncludesClusterName': true,
  '@aws-cdk/aws-ecs:disableExplicitDeploymentControllerForCircuitBreaker': true,
  '@aws-cdk/aws-ecs:reduceEc2FargateCloudWatchPermissions': true,
  '@aws-cdk/aws-ecs:removeDefaultDeploymentAlarm': true,
  '@aws-cdk/aws-lambda:createNewPoliciesWithAddToRolePolicy': false,
  '@aws-cdk/aws-rds:preventRenderingDeprecatedCredentials': true,
  '@aws-cdk/aws-s3:createDefaultLoggingPolicy': true,
  '@aws-cdk/core:checkSecretUsage': true,
  '@aws-cdk/core:enablePartitionLiterals': true,
}

/** Four stacks: network, data, services, monitoring. Makes no request; synthesis writes the templates. */
export function createProductEvents(settings: Settings, outdir?: string): App {
  const app = new App({ context, analyticsReporting: false, ...(outdir !== undefined && { outdir }) })
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
  Tags.of(app).add('application', 'product-events')
  const network = createNetwork(app, settings)
  const data = createData(app, settings, network)
  const services = createServices(app, settings, network, data)
  createMonitoring(app, settings, network, data, services)
  return app
}
