metadata description = 'What the parameters of the template look like.'

@export()
@description('A scale set that Teal may deploy to. The hook postdeploy registers it.')
type scaleSetGroup = {
  @description('The name of the group in Teal.')
  id: string

  @description('The resource id of the scale set. Its resource group gets the rights.')
  scaleSetId: string

  @description('What is said of the group besides: the body of PUT /api/groups/{id}, without scaleSetId.')
  #disable-next-line no-explicit-any // the API checks it, and says what is wrong
  body: { *: any }?

  @description('The resource id of the gallery that its images are in.')
  galleryId: string?

  @description('The resource id of a system topic for the resource group of the gallery, if there is one with an identity of its own.')
  galleryTopicId: string?

  @description('Resource ids of other resource groups in which its load balancers, gateways, subnets and interfaces are.')
  networkScopes: string[]?
}

@export()
@description('Instances that are kept warm. Each is paid for by the second, whether it works or not: see docs/azure.md.')
type warmInstances = {
  @description('Recipes and activities. With 0 a deployment may wait some seconds at each step.')
  @minValue(0)
  durable: int

  @description('The API and the page.')
  @minValue(0)
  http: int

  @description('What Event Grid calls. With 0 the first delivery after a pause is answered 401, and is sent again.')
  @minValue(0)
  imagePublished: int
}

@export()
@description('Values by name: tags, or app settings.')
type values = { *: string }
