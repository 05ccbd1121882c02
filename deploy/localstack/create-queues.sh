#!/bin/sh
# The queue and its dead-letter queue, as packages/queue/find-or-create.ts makes them (a test compares the two).
set -eu

QUEUE=product-notifications
RETENTION_SECONDS=1209600
VISIBILITY_TIMEOUT_SECONDS=30
MAX_RECEIVE_COUNT=5

dlq_url=$(awslocal sqs create-queue --queue-name "$QUEUE-dlq" --output text --query QueueUrl \
  --attributes "MessageRetentionPeriod=$RETENTION_SECONDS")
dlq_arn=$(awslocal sqs get-queue-attributes --queue-url "$dlq_url" --output text --query Attributes.QueueArn \
  --attribute-names QueueArn)
awslocal sqs create-queue --queue-name "$QUEUE" --attributes "{
  \"MessageRetentionPeriod\": \"$RETENTION_SECONDS\",
  \"VisibilityTimeout\": \"$VISIBILITY_TIMEOUT_SECONDS\",
  \"RedrivePolicy\": \"{\\\"deadLetterTargetArn\\\":\\\"$dlq_arn\\\",\\\"maxReceiveCount\\\":$MAX_RECEIVE_COUNT}\"
}"
