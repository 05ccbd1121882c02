# Every target only calls the npm script of the same work: npm is the one place that knows how.
.DEFAULT_GOAL := help
.PHONY: help run test test-unit test-integration test-e2e lint build cover docker-compose

help: ## what can be made
	@npm run --silent help

run: ## the whole system, with its own PostgreSQL and SQS
	@npm start

test: ## the unit and integration tests
	@npm test

test-unit: ## the tests without I/O
	@npm run test:unit

test-integration: ## the tests on a real PostgreSQL and SQS
	@npm run test:integration

test-e2e: ## the tests on real processes
	@npm run test:e2e

lint: ## the linter; `npm run check` adds types, format and house rules
	@npm run lint

build: ## each service as one file in dist/
	@npm run build

cover: ## all tests, with coverage
	@npm run cover

docker-compose: ## PostgreSQL, LocalStack, Prometheus and Grafana in Docker
	@npm run docker-compose
